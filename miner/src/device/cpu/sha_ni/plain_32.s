# Written by `generator`; PYRITE_WRITE_ASSEMBLY=1 writes it anew in its test.
push %rbp
mov %rsp, %rbp
sub $384, %rsp
and $-64, %rsp
2:
vmovdqa 336(%rdi), %xmm1
vmovdqa 352(%rdi), %xmm2
vpaddd (%rdi), %xmm16, %xmm0
sha256rnds2 %xmm1, %xmm2
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm2, %xmm1
vmovdqa64 %xmm16, %xmm14
vmovdqa64 %xmm17, %xmm15
sha256msg1 %xmm15, %xmm14
sha256msg2 384(%rdi), %xmm14
vmovdqa64 %xmm14, %xmm16
vpbroadcastd (%rsi), %xmm14
vpand 400(%rdi), %xmm14, %xmm15
vpaddd (%rdx), %xmm15, %xmm7
vmovdqa 16(%rdx), %xmm8
vmovdqa 64(%rdx), %xmm15
vpblendd $8, %xmm14, %xmm15, %xmm14
sha256msg1 368(%rdi), %xmm14
vpaddd 80(%rdx), %xmm14, %xmm14
vmovdqa64 %xmm14, %xmm28
vpbroadcastd 4(%rsi), %xmm13
vpand 400(%rdi), %xmm13, %xmm14
vpaddd (%rdx), %xmm14, %xmm9
vmovdqa 16(%rdx), %xmm10
vmovdqa 64(%rdx), %xmm14
vpblendd $8, %xmm13, %xmm14, %xmm13
sha256msg1 368(%rdi), %xmm13
vpaddd 80(%rdx), %xmm13, %xmm13
vmovdqa %xmm13, 256(%rsp)
vmovdqa 336(%rdi), %xmm3
vmovdqa 352(%rdi), %xmm4
vpaddd (%rdi), %xmm20, %xmm0
sha256rnds2 %xmm3, %xmm4
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm4, %xmm3
vmovdqa64 %xmm20, %xmm13
vmovdqa64 %xmm21, %xmm14
sha256msg1 %xmm14, %xmm13
sha256msg2 384(%rdi), %xmm13
vmovdqa64 %xmm13, %xmm20
vpbroadcastd 8(%rsi), %xmm15
vpand 400(%rdi), %xmm15, %xmm13
vpaddd (%rdx), %xmm13, %xmm11
vmovdqa 16(%rdx), %xmm12
vmovdqa 64(%rdx), %xmm13
vpblendd $8, %xmm15, %xmm13, %xmm15
sha256msg1 368(%rdi), %xmm15
vpaddd 80(%rdx), %xmm15, %xmm15
vmovdqa %xmm15, 320(%rsp)
vmovdqa 336(%rdi), %xmm5
vmovdqa 352(%rdi), %xmm6
vpaddd (%rdi), %xmm24, %xmm0
sha256rnds2 %xmm5, %xmm6
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm6, %xmm5
vmovdqa64 %xmm24, %xmm15
vmovdqa64 %xmm25, %xmm13
sha256msg1 %xmm13, %xmm15
sha256msg2 384(%rdi), %xmm15
vmovdqa64 %xmm15, %xmm24
vmovdqa 256(%rdi), %xmm0
sha256rnds2 %xmm7, %xmm8
sha256rnds2 %xmm9, %xmm10
sha256rnds2 %xmm11, %xmm12
vpaddd 16(%rdi), %xmm17, %xmm0
sha256rnds2 %xmm1, %xmm2
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm2, %xmm1
vmovdqa64 %xmm17, %xmm14
sha256msg1 368(%rdi), %xmm14
vpalignr $4, 384(%rdi), %xmm16, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
vmovdqa64 %xmm16, %xmm13
sha256msg2 %xmm13, %xmm14
vmovdqa64 %xmm14, %xmm17
vmovq 264(%rdi), %xmm0
sha256rnds2 %xmm8, %xmm7
sha256rnds2 %xmm10, %xmm9
sha256rnds2 %xmm12, %xmm11
vpaddd 16(%rdi), %xmm21, %xmm0
sha256rnds2 %xmm3, %xmm4
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm4, %xmm3
vmovdqa64 %xmm21, %xmm14
sha256msg1 368(%rdi), %xmm14
vpalignr $4, 384(%rdi), %xmm20, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
vmovdqa64 %xmm20, %xmm13
sha256msg2 %xmm13, %xmm14
vmovdqa64 %xmm14, %xmm21
vmovdqa 96(%rdx), %xmm14
vmovdqa64 %xmm28, %xmm15
sha256msg2 %xmm15, %xmm14
vmovdqa64 %xmm14, %xmm29
vpaddd 16(%rdi), %xmm25, %xmm0
sha256rnds2 %xmm5, %xmm6
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm6, %xmm5
vmovdqa64 %xmm25, %xmm14
sha256msg1 368(%rdi), %xmm14
vpalignr $4, 384(%rdi), %xmm24, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
vmovdqa64 %xmm24, %xmm13
sha256msg2 %xmm13, %xmm14
vmovdqa64 %xmm14, %xmm25
vmovdqa 96(%rdx), %xmm13
sha256msg2 256(%rsp), %xmm13
vmovdqa %xmm13, 272(%rsp)
vmovdqa 304(%rdi), %xmm0
sha256rnds2 %xmm1, %xmm2
sha256rnds2 %xmm3, %xmm4
sha256rnds2 %xmm5, %xmm6
vmovdqa 96(%rdx), %xmm14
sha256msg2 320(%rsp), %xmm14
vmovdqa %xmm14, 336(%rsp)
vmovq 312(%rdi), %xmm0
sha256rnds2 %xmm2, %xmm1
sha256rnds2 %xmm4, %xmm3
sha256rnds2 %xmm6, %xmm5
vmovdqa 272(%rdi), %xmm0
sha256rnds2 %xmm7, %xmm8
sha256rnds2 %xmm9, %xmm10
sha256rnds2 %xmm11, %xmm12
vpalignr $4, %xmm16, %xmm17, %xmm14
vpaddd 368(%rdi), %xmm14, %xmm14
vmovdqa64 %xmm17, %xmm15
sha256msg2 %xmm15, %xmm14
vmovdqa64 %xmm14, %xmm18
vmovq 280(%rdi), %xmm0
sha256rnds2 %xmm8, %xmm7
sha256rnds2 %xmm10, %xmm9
sha256rnds2 %xmm12, %xmm11
vpalignr $4, %xmm20, %xmm21, %xmm13
vpaddd 368(%rdi), %xmm13, %xmm13
vmovdqa64 %xmm21, %xmm14
sha256msg2 %xmm14, %xmm13
vmovdqa64 %xmm13, %xmm22
vpalignr $4, %xmm28, %xmm29, %xmm15
vmovdqa64 %xmm29, %xmm13
sha256msg2 %xmm13, %xmm15
vmovdqa64 %xmm15, %xmm30
vpalignr $4, %xmm24, %xmm25, %xmm15
vpaddd 368(%rdi), %xmm15, %xmm15
vmovdqa64 %xmm25, %xmm13
sha256msg2 %xmm13, %xmm15
vmovdqa64 %xmm15, %xmm26
vmovdqa 272(%rsp), %xmm15
vpalignr $4, 256(%rsp), %xmm15, %xmm14
sha256msg2 272(%rsp), %xmm14
vmovdqa %xmm14, 288(%rsp)
vmovdqa 320(%rdi), %xmm0
sha256rnds2 %xmm1, %xmm2
sha256rnds2 %xmm3, %xmm4
sha256rnds2 %xmm5, %xmm6
vmovdqa 336(%rsp), %xmm14
vpalignr $4, 320(%rsp), %xmm14, %xmm13
sha256msg2 336(%rsp), %xmm13
vmovdqa %xmm13, 352(%rsp)
vmovq 328(%rdi), %xmm0
sha256rnds2 %xmm2, %xmm1
sha256rnds2 %xmm4, %xmm3
sha256rnds2 %xmm6, %xmm5
vmovdqa 288(%rdi), %xmm0
sha256rnds2 %xmm7, %xmm8
sha256rnds2 %xmm9, %xmm10
sha256rnds2 %xmm11, %xmm12
vpaddd 64(%rdi), %xmm16, %xmm0
sha256rnds2 %xmm1, %xmm2
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm2, %xmm1
vmovq 296(%rdi), %xmm0
sha256rnds2 %xmm8, %xmm7
sha256rnds2 %xmm10, %xmm9
sha256rnds2 %xmm12, %xmm11
vmovdqa 384(%rdi), %xmm14
vmovdqa64 %xmm16, %xmm15
sha256msg1 %xmm15, %xmm14
vpalignr $4, %xmm17, %xmm18, %xmm13
vpaddd %xmm13, %xmm14, %xmm14
vmovdqa64 %xmm18, %xmm15
sha256msg2 %xmm15, %xmm14
vmovdqa64 %xmm14, %xmm19
vpaddd 64(%rdi), %xmm28, %xmm0
sha256rnds2 %xmm7, %xmm8
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm8, %xmm7
vpaddd 64(%rdi), %xmm20, %xmm0
sha256rnds2 %xmm3, %xmm4
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm4, %xmm3
vmovdqa 112(%rdx), %xmm15
vpalignr $4, %xmm29, %xmm30, %xmm13
vpaddd %xmm13, %xmm15, %xmm15
vmovdqa64 %xmm30, %xmm14
sha256msg2 %xmm14, %xmm15
vmovdqa64 %xmm15, %xmm31
vmovdqa 384(%rdi), %xmm13
vmovdqa64 %xmm20, %xmm14
sha256msg1 %xmm14, %xmm13
vpalignr $4, %xmm21, %xmm22, %xmm15
vpaddd %xmm15, %xmm13, %xmm13
vmovdqa64 %xmm22, %xmm14
sha256msg2 %xmm14, %xmm13
vmovdqa64 %xmm13, %xmm23
vmovdqa 256(%rsp), %xmm0
vpaddd 64(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm9, %xmm10
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm10, %xmm9
vpaddd 64(%rdi), %xmm24, %xmm0
sha256rnds2 %xmm5, %xmm6
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm6, %xmm5
vmovdqa 112(%rdx), %xmm15
vmovdqa 288(%rsp), %xmm14
vpalignr $4, 272(%rsp), %xmm14, %xmm13
vpaddd %xmm13, %xmm15, %xmm15
sha256msg2 288(%rsp), %xmm15
vmovdqa %xmm15, 304(%rsp)
vmovdqa 384(%rdi), %xmm15
vmovdqa64 %xmm24, %xmm13
sha256msg1 %xmm13, %xmm15
vpalignr $4, %xmm25, %xmm26, %xmm14
vpaddd %xmm14, %xmm15, %xmm15
vmovdqa64 %xmm26, %xmm13
sha256msg2 %xmm13, %xmm15
vmovdqa64 %xmm15, %xmm27
vmovdqa 320(%rsp), %xmm0
vpaddd 64(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm11, %xmm12
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm12, %xmm11
vpaddd 80(%rdi), %xmm17, %xmm0
sha256rnds2 %xmm1, %xmm2
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm2, %xmm1
vmovdqa 112(%rdx), %xmm15
vmovdqa 352(%rsp), %xmm14
vpalignr $4, 336(%rsp), %xmm14, %xmm13
vpaddd %xmm13, %xmm15, %xmm15
sha256msg2 352(%rsp), %xmm15
vmovdqa %xmm15, 368(%rsp)
vpaddd 80(%rdi), %xmm21, %xmm0
sha256rnds2 %xmm3, %xmm4
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm4, %xmm3
vpaddd 80(%rdi), %xmm29, %xmm0
sha256rnds2 %xmm7, %xmm8
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm8, %xmm7
vpaddd 80(%rdi), %xmm25, %xmm0
sha256rnds2 %xmm5, %xmm6
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm6, %xmm5
vmovdqa 272(%rsp), %xmm0
vpaddd 80(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm9, %xmm10
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm10, %xmm9
vpaddd 96(%rdi), %xmm18, %xmm0
sha256rnds2 %xmm1, %xmm2
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm2, %xmm1
vmovdqa 336(%rsp), %xmm0
vpaddd 80(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm11, %xmm12
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm12, %xmm11
vmovdqa64 %xmm16, %xmm14
vmovdqa64 %xmm17, %xmm15
sha256msg1 %xmm15, %xmm14
vpalignr $4, %xmm18, %xmm19, %xmm13
vpaddd %xmm13, %xmm14, %xmm14
vmovdqa64 %xmm19, %xmm15
sha256msg2 %xmm15, %xmm14
vmovdqa64 %xmm14, %xmm16
vpaddd 96(%rdi), %xmm30, %xmm0
sha256rnds2 %xmm7, %xmm8
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm8, %xmm7
vpaddd 96(%rdi), %xmm22, %xmm0
sha256rnds2 %xmm3, %xmm4
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm4, %xmm3
vmovdqa64 %xmm28, %xmm15
vmovdqa64 %xmm29, %xmm13
sha256msg1 %xmm13, %xmm15
vpalignr $4, %xmm30, %xmm31, %xmm14
vpaddd %xmm14, %xmm15, %xmm15
vmovdqa64 %xmm31, %xmm13
sha256msg2 %xmm13, %xmm15
vmovdqa64 %xmm15, %xmm28
vmovdqa64 %xmm20, %xmm13
vmovdqa64 %xmm21, %xmm14
sha256msg1 %xmm14, %xmm13
vpalignr $4, %xmm22, %xmm23, %xmm15
vpaddd %xmm15, %xmm13, %xmm13
vmovdqa64 %xmm23, %xmm14
sha256msg2 %xmm14, %xmm13
vmovdqa64 %xmm13, %xmm20
vmovdqa 288(%rsp), %xmm0
vpaddd 96(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm9, %xmm10
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm10, %xmm9
vpaddd 96(%rdi), %xmm26, %xmm0
sha256rnds2 %xmm5, %xmm6
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm6, %xmm5
vmovdqa 256(%rsp), %xmm14
sha256msg1 272(%rsp), %xmm14
vmovdqa 304(%rsp), %xmm13
vpalignr $4, 288(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 304(%rsp), %xmm14
vmovdqa %xmm14, 256(%rsp)
vmovdqa64 %xmm24, %xmm15
vmovdqa64 %xmm25, %xmm13
sha256msg1 %xmm13, %xmm15
vpalignr $4, %xmm26, %xmm27, %xmm14
vpaddd %xmm14, %xmm15, %xmm15
vmovdqa64 %xmm27, %xmm13
sha256msg2 %xmm13, %xmm15
vmovdqa64 %xmm15, %xmm24
vmovdqa 352(%rsp), %xmm0
vpaddd 96(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm11, %xmm12
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm12, %xmm11
vpaddd 112(%rdi), %xmm19, %xmm0
sha256rnds2 %xmm1, %xmm2
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm2, %xmm1
vmovdqa 320(%rsp), %xmm14
sha256msg1 336(%rsp), %xmm14
vmovdqa 368(%rsp), %xmm13
vpalignr $4, 352(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 368(%rsp), %xmm14
vmovdqa %xmm14, 320(%rsp)
vmovdqa64 %xmm17, %xmm14
vmovdqa64 %xmm18, %xmm15
sha256msg1 %xmm15, %xmm14
vpalignr $4, %xmm19, %xmm16, %xmm13
vpaddd %xmm13, %xmm14, %xmm14
vmovdqa64 %xmm16, %xmm15
sha256msg2 %xmm15, %xmm14
vmovdqa64 %xmm14, %xmm17
vpaddd 112(%rdi), %xmm31, %xmm0
sha256rnds2 %xmm7, %xmm8
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm8, %xmm7
vpaddd 112(%rdi), %xmm23, %xmm0
sha256rnds2 %xmm3, %xmm4
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm4, %xmm3
vmovdqa64 %xmm29, %xmm14
vmovdqa64 %xmm30, %xmm15
sha256msg1 %xmm15, %xmm14
vpalignr $4, %xmm31, %xmm28, %xmm13
vpaddd %xmm13, %xmm14, %xmm14
vmovdqa64 %xmm28, %xmm15
sha256msg2 %xmm15, %xmm14
vmovdqa64 %xmm14, %xmm29
vmovdqa64 %xmm21, %xmm13
vmovdqa64 %xmm22, %xmm14
sha256msg1 %xmm14, %xmm13
vpalignr $4, %xmm23, %xmm20, %xmm15
vpaddd %xmm15, %xmm13, %xmm13
vmovdqa64 %xmm20, %xmm14
sha256msg2 %xmm14, %xmm13
vmovdqa64 %xmm13, %xmm21
vmovdqa 304(%rsp), %xmm0
vpaddd 112(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm9, %xmm10
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm10, %xmm9
vpaddd 112(%rdi), %xmm27, %xmm0
sha256rnds2 %xmm5, %xmm6
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm6, %xmm5
vmovdqa 272(%rsp), %xmm13
sha256msg1 288(%rsp), %xmm13
vmovdqa 256(%rsp), %xmm15
vpalignr $4, 304(%rsp), %xmm15, %xmm14
vpaddd %xmm14, %xmm13, %xmm13
sha256msg2 256(%rsp), %xmm13
vmovdqa %xmm13, 272(%rsp)
vmovdqa64 %xmm25, %xmm15
vmovdqa64 %xmm26, %xmm13
sha256msg1 %xmm13, %xmm15
vpalignr $4, %xmm27, %xmm24, %xmm14
vpaddd %xmm14, %xmm15, %xmm15
vmovdqa64 %xmm24, %xmm13
sha256msg2 %xmm13, %xmm15
vmovdqa64 %xmm15, %xmm25
vmovdqa 368(%rsp), %xmm0
vpaddd 112(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm11, %xmm12
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm12, %xmm11
vpaddd 128(%rdi), %xmm16, %xmm0
sha256rnds2 %xmm1, %xmm2
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm2, %xmm1
vmovdqa 336(%rsp), %xmm13
sha256msg1 352(%rsp), %xmm13
vmovdqa 320(%rsp), %xmm15
vpalignr $4, 368(%rsp), %xmm15, %xmm14
vpaddd %xmm14, %xmm13, %xmm13
sha256msg2 320(%rsp), %xmm13
vmovdqa %xmm13, 336(%rsp)
vmovdqa64 %xmm18, %xmm14
vmovdqa64 %xmm19, %xmm15
sha256msg1 %xmm15, %xmm14
vpalignr $4, %xmm16, %xmm17, %xmm13
vpaddd %xmm13, %xmm14, %xmm14
vmovdqa64 %xmm17, %xmm15
sha256msg2 %xmm15, %xmm14
vmovdqa64 %xmm14, %xmm18
vpaddd 128(%rdi), %xmm28, %xmm0
sha256rnds2 %xmm7, %xmm8
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm8, %xmm7
vpaddd 128(%rdi), %xmm20, %xmm0
sha256rnds2 %xmm3, %xmm4
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm4, %xmm3
vmovdqa64 %xmm30, %xmm13
vmovdqa64 %xmm31, %xmm14
sha256msg1 %xmm14, %xmm13
vpalignr $4, %xmm28, %xmm29, %xmm15
vpaddd %xmm15, %xmm13, %xmm13
vmovdqa64 %xmm29, %xmm14
sha256msg2 %xmm14, %xmm13
vmovdqa64 %xmm13, %xmm30
vmovdqa64 %xmm22, %xmm13
vmovdqa64 %xmm23, %xmm14
sha256msg1 %xmm14, %xmm13
vpalignr $4, %xmm20, %xmm21, %xmm15
vpaddd %xmm15, %xmm13, %xmm13
vmovdqa64 %xmm21, %xmm14
sha256msg2 %xmm14, %xmm13
vmovdqa64 %xmm13, %xmm22
vmovdqa 256(%rsp), %xmm0
vpaddd 128(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm9, %xmm10
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm10, %xmm9
vpaddd 128(%rdi), %xmm24, %xmm0
sha256rnds2 %xmm5, %xmm6
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm6, %xmm5
vmovdqa 288(%rsp), %xmm15
sha256msg1 304(%rsp), %xmm15
vmovdqa 272(%rsp), %xmm14
vpalignr $4, 256(%rsp), %xmm14, %xmm13
vpaddd %xmm13, %xmm15, %xmm15
sha256msg2 272(%rsp), %xmm15
vmovdqa %xmm15, 288(%rsp)
vmovdqa 320(%rsp), %xmm0
vpaddd 128(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm11, %xmm12
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm12, %xmm11
vmovdqa64 %xmm26, %xmm15
vmovdqa64 %xmm27, %xmm13
sha256msg1 %xmm13, %xmm15
vpalignr $4, %xmm24, %xmm25, %xmm14
vpaddd %xmm14, %xmm15, %xmm15
vmovdqa64 %xmm25, %xmm13
sha256msg2 %xmm13, %xmm15
vmovdqa64 %xmm15, %xmm26
vmovdqa 352(%rsp), %xmm15
sha256msg1 368(%rsp), %xmm15
vmovdqa 336(%rsp), %xmm14
vpalignr $4, 320(%rsp), %xmm14, %xmm13
vpaddd %xmm13, %xmm15, %xmm15
sha256msg2 336(%rsp), %xmm15
vmovdqa %xmm15, 352(%rsp)
vpaddd 144(%rdi), %xmm17, %xmm0
sha256rnds2 %xmm1, %xmm2
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm2, %xmm1
vpaddd 144(%rdi), %xmm29, %xmm0
sha256rnds2 %xmm7, %xmm8
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm8, %xmm7
vmovdqa64 %xmm19, %xmm14
vmovdqa64 %xmm16, %xmm15
sha256msg1 %xmm15, %xmm14
vpalignr $4, %xmm17, %xmm18, %xmm13
vpaddd %xmm13, %xmm14, %xmm14
vmovdqa64 %xmm18, %xmm15
sha256msg2 %xmm15, %xmm14
vmovdqa64 %xmm14, %xmm19
vmovdqa64 %xmm31, %xmm15
vmovdqa64 %xmm28, %xmm13
sha256msg1 %xmm13, %xmm15
vpalignr $4, %xmm29, %xmm30, %xmm14
vpaddd %xmm14, %xmm15, %xmm15
vmovdqa64 %xmm30, %xmm13
sha256msg2 %xmm13, %xmm15
vmovdqa64 %xmm15, %xmm31
vpaddd 144(%rdi), %xmm21, %xmm0
sha256rnds2 %xmm3, %xmm4
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm4, %xmm3
vmovdqa 272(%rsp), %xmm0
vpaddd 144(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm9, %xmm10
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm10, %xmm9
vmovdqa64 %xmm23, %xmm13
vmovdqa64 %xmm20, %xmm14
sha256msg1 %xmm14, %xmm13
vpalignr $4, %xmm21, %xmm22, %xmm15
vpaddd %xmm15, %xmm13, %xmm13
vmovdqa64 %xmm22, %xmm14
sha256msg2 %xmm14, %xmm13
vmovdqa64 %xmm13, %xmm23
vmovdqa 304(%rsp), %xmm14
sha256msg1 256(%rsp), %xmm14
vmovdqa 288(%rsp), %xmm13
vpalignr $4, 272(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 288(%rsp), %xmm14
vmovdqa %xmm14, 304(%rsp)
vpaddd 144(%rdi), %xmm25, %xmm0
sha256rnds2 %xmm5, %xmm6
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm6, %xmm5
vmovdqa 336(%rsp), %xmm0
vpaddd 144(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm11, %xmm12
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm12, %xmm11
vmovdqa64 %xmm27, %xmm15
vmovdqa64 %xmm24, %xmm13
sha256msg1 %xmm13, %xmm15
vpalignr $4, %xmm25, %xmm26, %xmm14
vpaddd %xmm14, %xmm15, %xmm15
vmovdqa64 %xmm26, %xmm13
sha256msg2 %xmm13, %xmm15
vmovdqa64 %xmm15, %xmm27
vmovdqa 368(%rsp), %xmm14
sha256msg1 320(%rsp), %xmm14
vmovdqa 352(%rsp), %xmm13
vpalignr $4, 336(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 352(%rsp), %xmm14
vmovdqa %xmm14, 368(%rsp)
vpaddd 160(%rdi), %xmm18, %xmm0
sha256rnds2 %xmm1, %xmm2
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm2, %xmm1
vpaddd 160(%rdi), %xmm30, %xmm0
sha256rnds2 %xmm7, %xmm8
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm8, %xmm7
vmovdqa64 %xmm16, %xmm14
vmovdqa64 %xmm17, %xmm15
sha256msg1 %xmm15, %xmm14
vpalignr $4, %xmm18, %xmm19, %xmm13
vpaddd %xmm13, %xmm14, %xmm14
vmovdqa64 %xmm19, %xmm15
sha256msg2 %xmm15, %xmm14
vmovdqa64 %xmm14, %xmm16
vmovdqa64 %xmm28, %xmm14
vmovdqa64 %xmm29, %xmm15
sha256msg1 %xmm15, %xmm14
vpalignr $4, %xmm30, %xmm31, %xmm13
vpaddd %xmm13, %xmm14, %xmm14
vmovdqa64 %xmm31, %xmm15
sha256msg2 %xmm15, %xmm14
vmovdqa64 %xmm14, %xmm28
vpaddd 160(%rdi), %xmm22, %xmm0
sha256rnds2 %xmm3, %xmm4
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm4, %xmm3
vmovdqa 288(%rsp), %xmm0
vpaddd 160(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm9, %xmm10
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm10, %xmm9
vmovdqa64 %xmm20, %xmm13
vmovdqa64 %xmm21, %xmm14
sha256msg1 %xmm14, %xmm13
vpalignr $4, %xmm22, %xmm23, %xmm15
vpaddd %xmm15, %xmm13, %xmm13
vmovdqa64 %xmm23, %xmm14
sha256msg2 %xmm14, %xmm13
vmovdqa64 %xmm13, %xmm20
vmovdqa 256(%rsp), %xmm13
sha256msg1 272(%rsp), %xmm13
vmovdqa 304(%rsp), %xmm15
vpalignr $4, 288(%rsp), %xmm15, %xmm14
vpaddd %xmm14, %xmm13, %xmm13
sha256msg2 304(%rsp), %xmm13
vmovdqa %xmm13, 256(%rsp)
vpaddd 160(%rdi), %xmm26, %xmm0
sha256rnds2 %xmm5, %xmm6
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm6, %xmm5
vmovdqa 352(%rsp), %xmm0
vpaddd 160(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm11, %xmm12
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm12, %xmm11
vmovdqa64 %xmm24, %xmm15
vmovdqa64 %xmm25, %xmm13
sha256msg1 %xmm13, %xmm15
vpalignr $4, %xmm26, %xmm27, %xmm14
vpaddd %xmm14, %xmm15, %xmm15
vmovdqa64 %xmm27, %xmm13
sha256msg2 %xmm13, %xmm15
vmovdqa64 %xmm15, %xmm24
vmovdqa 320(%rsp), %xmm13
sha256msg1 336(%rsp), %xmm13
vmovdqa 368(%rsp), %xmm15
vpalignr $4, 352(%rsp), %xmm15, %xmm14
vpaddd %xmm14, %xmm13, %xmm13
sha256msg2 368(%rsp), %xmm13
vmovdqa %xmm13, 320(%rsp)
vpaddd 176(%rdi), %xmm19, %xmm0
sha256rnds2 %xmm1, %xmm2
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm2, %xmm1
vpaddd 176(%rdi), %xmm31, %xmm0
sha256rnds2 %xmm7, %xmm8
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm8, %xmm7
vmovdqa64 %xmm17, %xmm14
vmovdqa64 %xmm18, %xmm15
sha256msg1 %xmm15, %xmm14
vpalignr $4, %xmm19, %xmm16, %xmm13
vpaddd %xmm13, %xmm14, %xmm14
vmovdqa64 %xmm16, %xmm15
sha256msg2 %xmm15, %xmm14
vmovdqa64 %xmm14, %xmm17
vmovdqa64 %xmm29, %xmm13
vmovdqa64 %xmm30, %xmm14
sha256msg1 %xmm14, %xmm13
vpalignr $4, %xmm31, %xmm28, %xmm15
vpaddd %xmm15, %xmm13, %xmm13
vmovdqa64 %xmm28, %xmm14
sha256msg2 %xmm14, %xmm13
vmovdqa64 %xmm13, %xmm29
vpaddd 176(%rdi), %xmm23, %xmm0
sha256rnds2 %xmm3, %xmm4
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm4, %xmm3
vmovdqa 304(%rsp), %xmm0
vpaddd 176(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm9, %xmm10
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm10, %xmm9
vmovdqa64 %xmm21, %xmm13
vmovdqa64 %xmm22, %xmm14
sha256msg1 %xmm14, %xmm13
vpalignr $4, %xmm23, %xmm20, %xmm15
vpaddd %xmm15, %xmm13, %xmm13
vmovdqa64 %xmm20, %xmm14
sha256msg2 %xmm14, %xmm13
vmovdqa64 %xmm13, %xmm21
vmovdqa 272(%rsp), %xmm15
sha256msg1 288(%rsp), %xmm15
vmovdqa 256(%rsp), %xmm14
vpalignr $4, 304(%rsp), %xmm14, %xmm13
vpaddd %xmm13, %xmm15, %xmm15
sha256msg2 256(%rsp), %xmm15
vmovdqa %xmm15, 272(%rsp)
vpaddd 176(%rdi), %xmm27, %xmm0
sha256rnds2 %xmm5, %xmm6
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm6, %xmm5
vmovdqa 368(%rsp), %xmm0
vpaddd 176(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm11, %xmm12
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm12, %xmm11
vmovdqa64 %xmm25, %xmm15
vmovdqa64 %xmm26, %xmm13
sha256msg1 %xmm13, %xmm15
vpalignr $4, %xmm27, %xmm24, %xmm14
vpaddd %xmm14, %xmm15, %xmm15
vmovdqa64 %xmm24, %xmm13
sha256msg2 %xmm13, %xmm15
vmovdqa64 %xmm15, %xmm25
vmovdqa 336(%rsp), %xmm15
sha256msg1 352(%rsp), %xmm15
vmovdqa 320(%rsp), %xmm14
vpalignr $4, 368(%rsp), %xmm14, %xmm13
vpaddd %xmm13, %xmm15, %xmm15
sha256msg2 320(%rsp), %xmm15
vmovdqa %xmm15, 336(%rsp)
vpaddd 192(%rdi), %xmm16, %xmm0
sha256rnds2 %xmm1, %xmm2
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm2, %xmm1
vpaddd 192(%rdi), %xmm28, %xmm0
sha256rnds2 %xmm7, %xmm8
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm8, %xmm7
vmovdqa64 %xmm18, %xmm14
vmovdqa64 %xmm19, %xmm15
sha256msg1 %xmm15, %xmm14
vpalignr $4, %xmm16, %xmm17, %xmm13
vpaddd %xmm13, %xmm14, %xmm14
vmovdqa64 %xmm17, %xmm15
sha256msg2 %xmm15, %xmm14
vmovdqa64 %xmm14, %xmm18
vmovdqa64 %xmm30, %xmm15
vmovdqa64 %xmm31, %xmm13
sha256msg1 %xmm13, %xmm15
vpalignr $4, %xmm28, %xmm29, %xmm14
vpaddd %xmm14, %xmm15, %xmm15
vmovdqa64 %xmm29, %xmm13
sha256msg2 %xmm13, %xmm15
vmovdqa64 %xmm15, %xmm30
vpaddd 192(%rdi), %xmm20, %xmm0
sha256rnds2 %xmm3, %xmm4
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm4, %xmm3
vmovdqa 256(%rsp), %xmm0
vpaddd 192(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm9, %xmm10
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm10, %xmm9
vmovdqa64 %xmm22, %xmm13
vmovdqa64 %xmm23, %xmm14
sha256msg1 %xmm14, %xmm13
vpalignr $4, %xmm20, %xmm21, %xmm15
vpaddd %xmm15, %xmm13, %xmm13
vmovdqa64 %xmm21, %xmm14
sha256msg2 %xmm14, %xmm13
vmovdqa64 %xmm13, %xmm22
vmovdqa 288(%rsp), %xmm14
sha256msg1 304(%rsp), %xmm14
vmovdqa 272(%rsp), %xmm13
vpalignr $4, 256(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 272(%rsp), %xmm14
vmovdqa %xmm14, 288(%rsp)
vpaddd 192(%rdi), %xmm24, %xmm0
sha256rnds2 %xmm5, %xmm6
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm6, %xmm5
vmovdqa 320(%rsp), %xmm0
vpaddd 192(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm11, %xmm12
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm12, %xmm11
vmovdqa64 %xmm26, %xmm15
vmovdqa64 %xmm27, %xmm13
sha256msg1 %xmm13, %xmm15
vpalignr $4, %xmm24, %xmm25, %xmm14
vpaddd %xmm14, %xmm15, %xmm15
vmovdqa64 %xmm25, %xmm13
sha256msg2 %xmm13, %xmm15
vmovdqa64 %xmm15, %xmm26
vmovdqa 352(%rsp), %xmm14
sha256msg1 368(%rsp), %xmm14
vmovdqa 336(%rsp), %xmm13
vpalignr $4, 320(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 336(%rsp), %xmm14
vmovdqa %xmm14, 352(%rsp)
vpaddd 208(%rdi), %xmm17, %xmm0
sha256rnds2 %xmm1, %xmm2
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm2, %xmm1
vpaddd 208(%rdi), %xmm29, %xmm0
sha256rnds2 %xmm7, %xmm8
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm8, %xmm7
vmovdqa64 %xmm19, %xmm14
vmovdqa64 %xmm16, %xmm15
sha256msg1 %xmm15, %xmm14
vpalignr $4, %xmm17, %xmm18, %xmm13
vpaddd %xmm13, %xmm14, %xmm14
vmovdqa64 %xmm18, %xmm15
sha256msg2 %xmm15, %xmm14
vmovdqa64 %xmm14, %xmm19
vmovdqa64 %xmm31, %xmm14
vmovdqa64 %xmm28, %xmm15
sha256msg1 %xmm15, %xmm14
vpalignr $4, %xmm29, %xmm30, %xmm13
vpaddd %xmm13, %xmm14, %xmm14
vmovdqa64 %xmm30, %xmm15
sha256msg2 %xmm15, %xmm14
vmovdqa64 %xmm14, %xmm31
vpaddd 208(%rdi), %xmm21, %xmm0
sha256rnds2 %xmm3, %xmm4
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm4, %xmm3
vmovdqa 272(%rsp), %xmm0
vpaddd 208(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm9, %xmm10
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm10, %xmm9
vmovdqa64 %xmm23, %xmm13
vmovdqa64 %xmm20, %xmm14
sha256msg1 %xmm14, %xmm13
vpalignr $4, %xmm21, %xmm22, %xmm15
vpaddd %xmm15, %xmm13, %xmm13
vmovdqa64 %xmm22, %xmm14
sha256msg2 %xmm14, %xmm13
vmovdqa64 %xmm13, %xmm23
vmovdqa 304(%rsp), %xmm13
sha256msg1 256(%rsp), %xmm13
vmovdqa 288(%rsp), %xmm15
vpalignr $4, 272(%rsp), %xmm15, %xmm14
vpaddd %xmm14, %xmm13, %xmm13
sha256msg2 288(%rsp), %xmm13
vmovdqa %xmm13, 304(%rsp)
vpaddd 208(%rdi), %xmm25, %xmm0
sha256rnds2 %xmm5, %xmm6
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm6, %xmm5
vmovdqa 336(%rsp), %xmm0
vpaddd 208(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm11, %xmm12
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm12, %xmm11
vmovdqa64 %xmm27, %xmm15
vmovdqa64 %xmm24, %xmm13
sha256msg1 %xmm13, %xmm15
vpalignr $4, %xmm25, %xmm26, %xmm14
vpaddd %xmm14, %xmm15, %xmm15
vmovdqa64 %xmm26, %xmm13
sha256msg2 %xmm13, %xmm15
vmovdqa64 %xmm15, %xmm27
vmovdqa 368(%rsp), %xmm13
sha256msg1 320(%rsp), %xmm13
vmovdqa 352(%rsp), %xmm15
vpalignr $4, 336(%rsp), %xmm15, %xmm14
vpaddd %xmm14, %xmm13, %xmm13
sha256msg2 352(%rsp), %xmm13
vmovdqa %xmm13, 368(%rsp)
vpaddd 224(%rdi), %xmm18, %xmm0
sha256rnds2 %xmm1, %xmm2
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm2, %xmm1
vpaddd 224(%rdi), %xmm30, %xmm0
sha256rnds2 %xmm7, %xmm8
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm8, %xmm7
vpaddd 224(%rdi), %xmm22, %xmm0
sha256rnds2 %xmm3, %xmm4
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm4, %xmm3
vmovdqa 288(%rsp), %xmm0
vpaddd 224(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm9, %xmm10
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm10, %xmm9
vpaddd 224(%rdi), %xmm26, %xmm0
sha256rnds2 %xmm5, %xmm6
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm6, %xmm5
vmovdqa 352(%rsp), %xmm0
vpaddd 224(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm11, %xmm12
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm12, %xmm11
vpaddd 240(%rdi), %xmm19, %xmm0
sha256rnds2 %xmm1, %xmm2
vpaddd 240(%rdi), %xmm31, %xmm0
sha256rnds2 %xmm7, %xmm8
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm8, %xmm7
vpaddd 240(%rdi), %xmm23, %xmm0
sha256rnds2 %xmm3, %xmm4
vmovdqa 304(%rsp), %xmm0
vpaddd 240(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm9, %xmm10
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm10, %xmm9
vpaddd 240(%rdi), %xmm27, %xmm0
sha256rnds2 %xmm5, %xmm6
vmovdqa 368(%rsp), %xmm0
vpaddd 240(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm11, %xmm12
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm12, %xmm11
vmovd %xmm2, (%r9)
vmovd %xmm4, 4(%r9)
vmovd %xmm6, 8(%r9)
vpaddd 32(%rdx), %xmm7, %xmm7
vpaddd 48(%rdx), %xmm8, %xmm8
vpshufd $27, %xmm7, %xmm13
vpshufd $177, %xmm8, %xmm14
vpblendd $12, %xmm14, %xmm13, %xmm15
vmovdqa64 %xmm15, %xmm16
vpalignr $8, %xmm13, %xmm14, %xmm15
vmovdqa64 %xmm15, %xmm17
vpaddd 32(%rdx), %xmm9, %xmm9
vpaddd 48(%rdx), %xmm10, %xmm10
vpshufd $27, %xmm9, %xmm13
vpshufd $177, %xmm10, %xmm14
vpblendd $12, %xmm14, %xmm13, %xmm15
vmovdqa64 %xmm15, %xmm20
vpalignr $8, %xmm13, %xmm14, %xmm15
vmovdqa64 %xmm15, %xmm21
vpaddd 32(%rdx), %xmm11, %xmm11
vpaddd 48(%rdx), %xmm12, %xmm12
vpshufd $27, %xmm11, %xmm13
vpshufd $177, %xmm12, %xmm14
vpblendd $12, %xmm14, %xmm13, %xmm15
vmovdqa64 %xmm15, %xmm24
vpalignr $8, %xmm13, %xmm14, %xmm15
vmovdqa64 %xmm15, %xmm25
add $12, %r9
add $12, %rsi
dec %r8
jnz 2b
mov %rbp, %rsp
pop %rbp
ret
