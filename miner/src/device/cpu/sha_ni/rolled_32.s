# Written by `generator`; PYRITE_WRITE_ASSEMBLY=1 writes it anew in its test.
push %rbp
mov %rsp, %rbp
sub $384, %rsp
and $-64, %rsp
mov %rdx, %r10
mov %rcx, %r11
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
vmovdqa 192(%rsi), %xmm7
vpaddd (%r10), %xmm7, %xmm7
vmovdqa 16(%r10), %xmm8
vmovdqa 192(%rsi), %xmm9
vpaddd 64(%r10), %xmm9, %xmm9
vmovdqa 80(%r10), %xmm10
vmovdqa 192(%rsi), %xmm11
vpaddd 128(%r10), %xmm11, %xmm11
vmovdqa 144(%r10), %xmm12
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
vmovq 264(%rdi), %xmm0
sha256rnds2 %xmm8, %xmm7
sha256rnds2 %xmm10, %xmm9
sha256rnds2 %xmm12, %xmm11
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
vmovdqa 304(%rdi), %xmm0
sha256rnds2 %xmm1, %xmm2
sha256rnds2 %xmm3, %xmm4
sha256rnds2 %xmm5, %xmm6
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
vpalignr $4, %xmm20, %xmm21, %xmm13
vpaddd 368(%rdi), %xmm13, %xmm13
vmovdqa64 %xmm21, %xmm14
sha256msg2 %xmm14, %xmm13
vmovdqa64 %xmm13, %xmm22
vmovq 280(%rdi), %xmm0
sha256rnds2 %xmm8, %xmm7
sha256rnds2 %xmm10, %xmm9
sha256rnds2 %xmm12, %xmm11
vpalignr $4, %xmm24, %xmm25, %xmm15
vpaddd 368(%rdi), %xmm15, %xmm15
vmovdqa64 %xmm25, %xmm13
sha256msg2 %xmm13, %xmm15
vmovdqa64 %xmm15, %xmm26
vmovdqa 320(%rdi), %xmm0
sha256rnds2 %xmm1, %xmm2
sha256rnds2 %xmm3, %xmm4
sha256rnds2 %xmm5, %xmm6
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
vmovdqa 384(%rdi), %xmm14
vmovdqa64 %xmm16, %xmm15
sha256msg1 %xmm15, %xmm14
vpalignr $4, %xmm17, %xmm18, %xmm13
vpaddd %xmm13, %xmm14, %xmm14
vmovdqa64 %xmm18, %xmm15
sha256msg2 %xmm15, %xmm14
vmovdqa64 %xmm14, %xmm19
vmovq 296(%rdi), %xmm0
sha256rnds2 %xmm8, %xmm7
sha256rnds2 %xmm10, %xmm9
sha256rnds2 %xmm12, %xmm11
vpaddd 64(%rdi), %xmm20, %xmm0
sha256rnds2 %xmm3, %xmm4
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm4, %xmm3
vmovdqa 384(%rdi), %xmm13
vmovdqa64 %xmm20, %xmm14
sha256msg1 %xmm14, %xmm13
vpalignr $4, %xmm21, %xmm22, %xmm15
vpaddd %xmm15, %xmm13, %xmm13
vmovdqa64 %xmm22, %xmm14
sha256msg2 %xmm14, %xmm13
vmovdqa64 %xmm13, %xmm23
vpaddd 64(%rdi), %xmm24, %xmm0
sha256rnds2 %xmm5, %xmm6
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm6, %xmm5
vmovdqa (%rsi), %xmm0
sha256rnds2 %xmm7, %xmm8
sha256rnds2 %xmm9, %xmm10
sha256rnds2 %xmm11, %xmm12
vmovdqa 384(%rdi), %xmm15
vmovdqa64 %xmm24, %xmm13
sha256msg1 %xmm13, %xmm15
vpalignr $4, %xmm25, %xmm26, %xmm14
vpaddd %xmm14, %xmm15, %xmm15
vmovdqa64 %xmm26, %xmm13
sha256msg2 %xmm13, %xmm15
vmovdqa64 %xmm15, %xmm27
vpaddd 80(%rdi), %xmm17, %xmm0
sha256rnds2 %xmm1, %xmm2
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm2, %xmm1
vmovq 8(%rsi), %xmm0
sha256rnds2 %xmm8, %xmm7
sha256rnds2 %xmm10, %xmm9
sha256rnds2 %xmm12, %xmm11
vpaddd 80(%rdi), %xmm21, %xmm0
sha256rnds2 %xmm3, %xmm4
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm4, %xmm3
vpaddd 80(%rdi), %xmm25, %xmm0
sha256rnds2 %xmm5, %xmm6
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm6, %xmm5
vpaddd 96(%rdi), %xmm18, %xmm0
sha256rnds2 %xmm1, %xmm2
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm2, %xmm1
vmovdqa 16(%rsi), %xmm0
sha256rnds2 %xmm7, %xmm8
sha256rnds2 %xmm9, %xmm10
sha256rnds2 %xmm11, %xmm12
vmovdqa64 %xmm16, %xmm14
vmovdqa64 %xmm17, %xmm15
sha256msg1 %xmm15, %xmm14
vpalignr $4, %xmm18, %xmm19, %xmm13
vpaddd %xmm13, %xmm14, %xmm14
vmovdqa64 %xmm19, %xmm15
sha256msg2 %xmm15, %xmm14
vmovdqa64 %xmm14, %xmm16
vpaddd 96(%rdi), %xmm22, %xmm0
sha256rnds2 %xmm3, %xmm4
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm4, %xmm3
vmovq 24(%rsi), %xmm0
sha256rnds2 %xmm8, %xmm7
sha256rnds2 %xmm10, %xmm9
sha256rnds2 %xmm12, %xmm11
vmovdqa64 %xmm20, %xmm13
vmovdqa64 %xmm21, %xmm14
sha256msg1 %xmm14, %xmm13
vpalignr $4, %xmm22, %xmm23, %xmm15
vpaddd %xmm15, %xmm13, %xmm13
vmovdqa64 %xmm23, %xmm14
sha256msg2 %xmm14, %xmm13
vmovdqa64 %xmm13, %xmm20
vpaddd 96(%rdi), %xmm26, %xmm0
sha256rnds2 %xmm5, %xmm6
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm6, %xmm5
vmovdqa 32(%rsi), %xmm0
sha256rnds2 %xmm7, %xmm8
sha256rnds2 %xmm9, %xmm10
sha256rnds2 %xmm11, %xmm12
vmovdqa64 %xmm24, %xmm15
vmovdqa64 %xmm25, %xmm13
sha256msg1 %xmm13, %xmm15
vpalignr $4, %xmm26, %xmm27, %xmm14
vpaddd %xmm14, %xmm15, %xmm15
vmovdqa64 %xmm27, %xmm13
sha256msg2 %xmm13, %xmm15
vmovdqa64 %xmm15, %xmm24
vpaddd 112(%rdi), %xmm19, %xmm0
sha256rnds2 %xmm1, %xmm2
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm2, %xmm1
vmovdqa64 %xmm17, %xmm14
vmovdqa64 %xmm18, %xmm15
sha256msg1 %xmm15, %xmm14
vpalignr $4, %xmm19, %xmm16, %xmm13
vpaddd %xmm13, %xmm14, %xmm14
vmovdqa64 %xmm16, %xmm15
sha256msg2 %xmm15, %xmm14
vmovdqa64 %xmm14, %xmm17
vmovq 40(%rsi), %xmm0
sha256rnds2 %xmm8, %xmm7
sha256rnds2 %xmm10, %xmm9
sha256rnds2 %xmm12, %xmm11
vpaddd 112(%rdi), %xmm23, %xmm0
sha256rnds2 %xmm3, %xmm4
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm4, %xmm3
vmovdqa64 %xmm21, %xmm13
vmovdqa64 %xmm22, %xmm14
sha256msg1 %xmm14, %xmm13
vpalignr $4, %xmm23, %xmm20, %xmm15
vpaddd %xmm15, %xmm13, %xmm13
vmovdqa64 %xmm20, %xmm14
sha256msg2 %xmm14, %xmm13
vmovdqa64 %xmm13, %xmm21
vmovdqa 48(%rsi), %xmm0
sha256rnds2 %xmm7, %xmm8
sha256rnds2 %xmm9, %xmm10
sha256rnds2 %xmm11, %xmm12
vpaddd 112(%rdi), %xmm27, %xmm0
sha256rnds2 %xmm5, %xmm6
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm6, %xmm5
vmovdqa64 %xmm25, %xmm15
vmovdqa64 %xmm26, %xmm13
sha256msg1 %xmm13, %xmm15
vpalignr $4, %xmm27, %xmm24, %xmm14
vpaddd %xmm14, %xmm15, %xmm15
vmovdqa64 %xmm24, %xmm13
sha256msg2 %xmm13, %xmm15
vmovdqa64 %xmm15, %xmm25
vpaddd 128(%rdi), %xmm16, %xmm0
sha256rnds2 %xmm1, %xmm2
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm2, %xmm1
vmovq 56(%rsi), %xmm0
sha256rnds2 %xmm8, %xmm7
sha256rnds2 %xmm10, %xmm9
sha256rnds2 %xmm12, %xmm11
vmovdqa64 %xmm18, %xmm14
vmovdqa64 %xmm19, %xmm15
sha256msg1 %xmm15, %xmm14
vpalignr $4, %xmm16, %xmm17, %xmm13
vpaddd %xmm13, %xmm14, %xmm14
vmovdqa64 %xmm17, %xmm15
sha256msg2 %xmm15, %xmm14
vmovdqa64 %xmm14, %xmm18
vpaddd 128(%rdi), %xmm20, %xmm0
sha256rnds2 %xmm3, %xmm4
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm4, %xmm3
vmovdqa 64(%rsi), %xmm0
sha256rnds2 %xmm7, %xmm8
sha256rnds2 %xmm9, %xmm10
sha256rnds2 %xmm11, %xmm12
vmovdqa64 %xmm22, %xmm13
vmovdqa64 %xmm23, %xmm14
sha256msg1 %xmm14, %xmm13
vpalignr $4, %xmm20, %xmm21, %xmm15
vpaddd %xmm15, %xmm13, %xmm13
vmovdqa64 %xmm21, %xmm14
sha256msg2 %xmm14, %xmm13
vmovdqa64 %xmm13, %xmm22
vpaddd 128(%rdi), %xmm24, %xmm0
sha256rnds2 %xmm5, %xmm6
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm6, %xmm5
vmovdqa64 %xmm26, %xmm15
vmovdqa64 %xmm27, %xmm13
sha256msg1 %xmm13, %xmm15
vpalignr $4, %xmm24, %xmm25, %xmm14
vpaddd %xmm14, %xmm15, %xmm15
vmovdqa64 %xmm25, %xmm13
sha256msg2 %xmm13, %xmm15
vmovdqa64 %xmm15, %xmm26
vmovq 72(%rsi), %xmm0
sha256rnds2 %xmm8, %xmm7
sha256rnds2 %xmm10, %xmm9
sha256rnds2 %xmm12, %xmm11
vpaddd 144(%rdi), %xmm17, %xmm0
sha256rnds2 %xmm1, %xmm2
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm2, %xmm1
vmovdqa64 %xmm19, %xmm14
vmovdqa64 %xmm16, %xmm15
sha256msg1 %xmm15, %xmm14
vpalignr $4, %xmm17, %xmm18, %xmm13
vpaddd %xmm13, %xmm14, %xmm14
vmovdqa64 %xmm18, %xmm15
sha256msg2 %xmm15, %xmm14
vmovdqa64 %xmm14, %xmm19
vmovdqa 80(%rsi), %xmm0
sha256rnds2 %xmm7, %xmm8
sha256rnds2 %xmm9, %xmm10
sha256rnds2 %xmm11, %xmm12
vpaddd 144(%rdi), %xmm21, %xmm0
sha256rnds2 %xmm3, %xmm4
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm4, %xmm3
vmovdqa64 %xmm23, %xmm13
vmovdqa64 %xmm20, %xmm14
sha256msg1 %xmm14, %xmm13
vpalignr $4, %xmm21, %xmm22, %xmm15
vpaddd %xmm15, %xmm13, %xmm13
vmovdqa64 %xmm22, %xmm14
sha256msg2 %xmm14, %xmm13
vmovdqa64 %xmm13, %xmm23
vpaddd 144(%rdi), %xmm25, %xmm0
sha256rnds2 %xmm5, %xmm6
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm6, %xmm5
vmovq 88(%rsi), %xmm0
sha256rnds2 %xmm8, %xmm7
sha256rnds2 %xmm10, %xmm9
sha256rnds2 %xmm12, %xmm11
vmovdqa64 %xmm27, %xmm15
vmovdqa64 %xmm24, %xmm13
sha256msg1 %xmm13, %xmm15
vpalignr $4, %xmm25, %xmm26, %xmm14
vpaddd %xmm14, %xmm15, %xmm15
vmovdqa64 %xmm26, %xmm13
sha256msg2 %xmm13, %xmm15
vmovdqa64 %xmm15, %xmm27
vpaddd 160(%rdi), %xmm18, %xmm0
sha256rnds2 %xmm1, %xmm2
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm2, %xmm1
vmovdqa 96(%rsi), %xmm0
sha256rnds2 %xmm7, %xmm8
sha256rnds2 %xmm9, %xmm10
sha256rnds2 %xmm11, %xmm12
vmovdqa64 %xmm16, %xmm14
vmovdqa64 %xmm17, %xmm15
sha256msg1 %xmm15, %xmm14
vpalignr $4, %xmm18, %xmm19, %xmm13
vpaddd %xmm13, %xmm14, %xmm14
vmovdqa64 %xmm19, %xmm15
sha256msg2 %xmm15, %xmm14
vmovdqa64 %xmm14, %xmm16
vpaddd 160(%rdi), %xmm22, %xmm0
sha256rnds2 %xmm3, %xmm4
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm4, %xmm3
vmovdqa64 %xmm20, %xmm13
vmovdqa64 %xmm21, %xmm14
sha256msg1 %xmm14, %xmm13
vpalignr $4, %xmm22, %xmm23, %xmm15
vpaddd %xmm15, %xmm13, %xmm13
vmovdqa64 %xmm23, %xmm14
sha256msg2 %xmm14, %xmm13
vmovdqa64 %xmm13, %xmm20
vmovq 104(%rsi), %xmm0
sha256rnds2 %xmm8, %xmm7
sha256rnds2 %xmm10, %xmm9
sha256rnds2 %xmm12, %xmm11
vpaddd 160(%rdi), %xmm26, %xmm0
sha256rnds2 %xmm5, %xmm6
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm6, %xmm5
vmovdqa64 %xmm24, %xmm15
vmovdqa64 %xmm25, %xmm13
sha256msg1 %xmm13, %xmm15
vpalignr $4, %xmm26, %xmm27, %xmm14
vpaddd %xmm14, %xmm15, %xmm15
vmovdqa64 %xmm27, %xmm13
sha256msg2 %xmm13, %xmm15
vmovdqa64 %xmm15, %xmm24
vmovdqa 112(%rsi), %xmm0
sha256rnds2 %xmm7, %xmm8
sha256rnds2 %xmm9, %xmm10
sha256rnds2 %xmm11, %xmm12
vpaddd 176(%rdi), %xmm19, %xmm0
sha256rnds2 %xmm1, %xmm2
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm2, %xmm1
vmovdqa64 %xmm17, %xmm14
vmovdqa64 %xmm18, %xmm15
sha256msg1 %xmm15, %xmm14
vpalignr $4, %xmm19, %xmm16, %xmm13
vpaddd %xmm13, %xmm14, %xmm14
vmovdqa64 %xmm16, %xmm15
sha256msg2 %xmm15, %xmm14
vmovdqa64 %xmm14, %xmm17
vmovq 120(%rsi), %xmm0
sha256rnds2 %xmm8, %xmm7
sha256rnds2 %xmm10, %xmm9
sha256rnds2 %xmm12, %xmm11
vpaddd 176(%rdi), %xmm23, %xmm0
sha256rnds2 %xmm3, %xmm4
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm4, %xmm3
vmovdqa64 %xmm21, %xmm13
vmovdqa64 %xmm22, %xmm14
sha256msg1 %xmm14, %xmm13
vpalignr $4, %xmm23, %xmm20, %xmm15
vpaddd %xmm15, %xmm13, %xmm13
vmovdqa64 %xmm20, %xmm14
sha256msg2 %xmm14, %xmm13
vmovdqa64 %xmm13, %xmm21
vpaddd 176(%rdi), %xmm27, %xmm0
sha256rnds2 %xmm5, %xmm6
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm6, %xmm5
vmovdqa 128(%rsi), %xmm0
sha256rnds2 %xmm7, %xmm8
sha256rnds2 %xmm9, %xmm10
sha256rnds2 %xmm11, %xmm12
vmovdqa64 %xmm25, %xmm15
vmovdqa64 %xmm26, %xmm13
sha256msg1 %xmm13, %xmm15
vpalignr $4, %xmm27, %xmm24, %xmm14
vpaddd %xmm14, %xmm15, %xmm15
vmovdqa64 %xmm24, %xmm13
sha256msg2 %xmm13, %xmm15
vmovdqa64 %xmm15, %xmm25
vpaddd 192(%rdi), %xmm16, %xmm0
sha256rnds2 %xmm1, %xmm2
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm2, %xmm1
vmovq 136(%rsi), %xmm0
sha256rnds2 %xmm8, %xmm7
sha256rnds2 %xmm10, %xmm9
sha256rnds2 %xmm12, %xmm11
vmovdqa64 %xmm18, %xmm14
vmovdqa64 %xmm19, %xmm15
sha256msg1 %xmm15, %xmm14
vpalignr $4, %xmm16, %xmm17, %xmm13
vpaddd %xmm13, %xmm14, %xmm14
vmovdqa64 %xmm17, %xmm15
sha256msg2 %xmm15, %xmm14
vmovdqa64 %xmm14, %xmm18
vpaddd 192(%rdi), %xmm20, %xmm0
sha256rnds2 %xmm3, %xmm4
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm4, %xmm3
vmovdqa64 %xmm22, %xmm13
vmovdqa64 %xmm23, %xmm14
sha256msg1 %xmm14, %xmm13
vpalignr $4, %xmm20, %xmm21, %xmm15
vpaddd %xmm15, %xmm13, %xmm13
vmovdqa64 %xmm21, %xmm14
sha256msg2 %xmm14, %xmm13
vmovdqa64 %xmm13, %xmm22
vmovdqa 144(%rsi), %xmm0
sha256rnds2 %xmm7, %xmm8
sha256rnds2 %xmm9, %xmm10
sha256rnds2 %xmm11, %xmm12
vpaddd 192(%rdi), %xmm24, %xmm0
sha256rnds2 %xmm5, %xmm6
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm6, %xmm5
vmovdqa64 %xmm26, %xmm15
vmovdqa64 %xmm27, %xmm13
sha256msg1 %xmm13, %xmm15
vpalignr $4, %xmm24, %xmm25, %xmm14
vpaddd %xmm14, %xmm15, %xmm15
vmovdqa64 %xmm25, %xmm13
sha256msg2 %xmm13, %xmm15
vmovdqa64 %xmm15, %xmm26
vmovq 152(%rsi), %xmm0
sha256rnds2 %xmm8, %xmm7
sha256rnds2 %xmm10, %xmm9
sha256rnds2 %xmm12, %xmm11
vpaddd 208(%rdi), %xmm17, %xmm0
sha256rnds2 %xmm1, %xmm2
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm2, %xmm1
vmovdqa64 %xmm19, %xmm14
vmovdqa64 %xmm16, %xmm15
sha256msg1 %xmm15, %xmm14
vpalignr $4, %xmm17, %xmm18, %xmm13
vpaddd %xmm13, %xmm14, %xmm14
vmovdqa64 %xmm18, %xmm15
sha256msg2 %xmm15, %xmm14
vmovdqa64 %xmm14, %xmm19
vpaddd 208(%rdi), %xmm21, %xmm0
sha256rnds2 %xmm3, %xmm4
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm4, %xmm3
vmovdqa 160(%rsi), %xmm0
sha256rnds2 %xmm7, %xmm8
sha256rnds2 %xmm9, %xmm10
sha256rnds2 %xmm11, %xmm12
vmovdqa64 %xmm23, %xmm13
vmovdqa64 %xmm20, %xmm14
sha256msg1 %xmm14, %xmm13
vpalignr $4, %xmm21, %xmm22, %xmm15
vpaddd %xmm15, %xmm13, %xmm13
vmovdqa64 %xmm22, %xmm14
sha256msg2 %xmm14, %xmm13
vmovdqa64 %xmm13, %xmm23
vpaddd 208(%rdi), %xmm25, %xmm0
sha256rnds2 %xmm5, %xmm6
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm6, %xmm5
vmovq 168(%rsi), %xmm0
sha256rnds2 %xmm8, %xmm7
sha256rnds2 %xmm10, %xmm9
sha256rnds2 %xmm12, %xmm11
vmovdqa64 %xmm27, %xmm15
vmovdqa64 %xmm24, %xmm13
sha256msg1 %xmm13, %xmm15
vpalignr $4, %xmm25, %xmm26, %xmm14
vpaddd %xmm14, %xmm15, %xmm15
vmovdqa64 %xmm26, %xmm13
sha256msg2 %xmm13, %xmm15
vmovdqa64 %xmm15, %xmm27
vpaddd 224(%rdi), %xmm18, %xmm0
sha256rnds2 %xmm1, %xmm2
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm2, %xmm1
vpaddd 224(%rdi), %xmm22, %xmm0
sha256rnds2 %xmm3, %xmm4
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm4, %xmm3
vmovdqa 176(%rsi), %xmm0
sha256rnds2 %xmm7, %xmm8
sha256rnds2 %xmm9, %xmm10
sha256rnds2 %xmm11, %xmm12
vpaddd 224(%rdi), %xmm26, %xmm0
sha256rnds2 %xmm5, %xmm6
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm6, %xmm5
vpaddd 240(%rdi), %xmm19, %xmm0
sha256rnds2 %xmm1, %xmm2
vmovq 184(%rsi), %xmm0
sha256rnds2 %xmm8, %xmm7
sha256rnds2 %xmm10, %xmm9
sha256rnds2 %xmm12, %xmm11
vpaddd 240(%rdi), %xmm23, %xmm0
sha256rnds2 %xmm3, %xmm4
vpaddd 240(%rdi), %xmm27, %xmm0
sha256rnds2 %xmm5, %xmm6
vmovd %xmm2, (%r9)
vmovd %xmm4, 4(%r9)
vmovd %xmm6, 8(%r9)
vpaddd 32(%r10), %xmm7, %xmm7
vpaddd 48(%r10), %xmm8, %xmm8
vpshufd $27, %xmm7, %xmm14
vpshufd $177, %xmm8, %xmm15
vpblendd $12, %xmm15, %xmm14, %xmm13
vmovdqa64 %xmm13, %xmm16
vpalignr $8, %xmm14, %xmm15, %xmm13
vmovdqa64 %xmm13, %xmm17
vpaddd 96(%r10), %xmm9, %xmm9
vpaddd 112(%r10), %xmm10, %xmm10
vpshufd $27, %xmm9, %xmm14
vpshufd $177, %xmm10, %xmm15
vpblendd $12, %xmm15, %xmm14, %xmm13
vmovdqa64 %xmm13, %xmm20
vpalignr $8, %xmm14, %xmm15, %xmm13
vmovdqa64 %xmm13, %xmm21
vpaddd 160(%r10), %xmm11, %xmm11
vpaddd 176(%r10), %xmm12, %xmm12
vpshufd $27, %xmm11, %xmm14
vpshufd $177, %xmm12, %xmm15
vpblendd $12, %xmm15, %xmm14, %xmm13
vmovdqa64 %xmm13, %xmm24
vpalignr $8, %xmm14, %xmm15, %xmm13
vmovdqa64 %xmm13, %xmm25
add $12, %r9
add $192, %r10
dec %r11
jnz 3f
add $208, %rsi
mov %rdx, %r10
mov %rcx, %r11
3:
dec %r8
jnz 2b
mov %rbp, %rsp
pop %rbp
ret
