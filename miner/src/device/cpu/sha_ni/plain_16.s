# Written by `generator`; PYRITE_WRITE_ASSEMBLY=1 writes it anew in its test.
push %rbp
mov %rsp, %rbp
sub $384, %rsp
and $-64, %rsp
2:
vmovdqa 336(%rdi), %xmm1
vmovdqa 352(%rdi), %xmm2
vmovdqa (%rsp), %xmm0
vpaddd (%rdi), %xmm0, %xmm0
sha256rnds2 %xmm1, %xmm2
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm2, %xmm1
vmovdqa (%rsp), %xmm14
sha256msg1 16(%rsp), %xmm14
sha256msg2 384(%rdi), %xmm14
vmovdqa %xmm14, (%rsp)
vpbroadcastd (%rsi), %xmm14
vpand 400(%rdi), %xmm14, %xmm15
vpaddd (%rdx), %xmm15, %xmm7
vmovdqa 16(%rdx), %xmm8
vmovdqa 64(%rdx), %xmm15
vpblendd $8, %xmm14, %xmm15, %xmm14
sha256msg1 368(%rdi), %xmm14
vpaddd 80(%rdx), %xmm14, %xmm14
vmovdqa %xmm14, 192(%rsp)
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
vmovdqa 64(%rsp), %xmm0
vpaddd (%rdi), %xmm0, %xmm0
sha256rnds2 %xmm3, %xmm4
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm4, %xmm3
vmovdqa 64(%rsp), %xmm15
sha256msg1 80(%rsp), %xmm15
sha256msg2 384(%rdi), %xmm15
vmovdqa %xmm15, 64(%rsp)
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
vmovdqa 128(%rsp), %xmm0
vpaddd (%rdi), %xmm0, %xmm0
sha256rnds2 %xmm5, %xmm6
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm6, %xmm5
vmovdqa 128(%rsp), %xmm13
sha256msg1 144(%rsp), %xmm13
sha256msg2 384(%rdi), %xmm13
vmovdqa %xmm13, 128(%rsp)
vmovdqa 256(%rdi), %xmm0
sha256rnds2 %xmm7, %xmm8
sha256rnds2 %xmm9, %xmm10
sha256rnds2 %xmm11, %xmm12
vmovdqa 16(%rsp), %xmm0
vpaddd 16(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm1, %xmm2
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm2, %xmm1
vmovdqa 16(%rsp), %xmm14
sha256msg1 368(%rdi), %xmm14
vmovdqa (%rsp), %xmm13
vpalignr $4, 384(%rdi), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 (%rsp), %xmm14
vmovdqa %xmm14, 16(%rsp)
vmovq 264(%rdi), %xmm0
sha256rnds2 %xmm8, %xmm7
sha256rnds2 %xmm10, %xmm9
sha256rnds2 %xmm12, %xmm11
vmovdqa 80(%rsp), %xmm0
vpaddd 16(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm3, %xmm4
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm4, %xmm3
vmovdqa 80(%rsp), %xmm14
sha256msg1 368(%rdi), %xmm14
vmovdqa 64(%rsp), %xmm13
vpalignr $4, 384(%rdi), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 64(%rsp), %xmm14
vmovdqa %xmm14, 80(%rsp)
vmovdqa 96(%rdx), %xmm14
sha256msg2 192(%rsp), %xmm14
vmovdqa %xmm14, 208(%rsp)
vmovdqa 144(%rsp), %xmm0
vpaddd 16(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm5, %xmm6
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm6, %xmm5
vmovdqa 144(%rsp), %xmm14
sha256msg1 368(%rdi), %xmm14
vmovdqa 128(%rsp), %xmm13
vpalignr $4, 384(%rdi), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 128(%rsp), %xmm14
vmovdqa %xmm14, 144(%rsp)
vmovdqa 96(%rdx), %xmm15
sha256msg2 256(%rsp), %xmm15
vmovdqa %xmm15, 272(%rsp)
vmovdqa 304(%rdi), %xmm0
sha256rnds2 %xmm1, %xmm2
sha256rnds2 %xmm3, %xmm4
sha256rnds2 %xmm5, %xmm6
vmovdqa 96(%rdx), %xmm13
sha256msg2 320(%rsp), %xmm13
vmovdqa %xmm13, 336(%rsp)
vmovq 312(%rdi), %xmm0
sha256rnds2 %xmm2, %xmm1
sha256rnds2 %xmm4, %xmm3
sha256rnds2 %xmm6, %xmm5
vmovdqa 272(%rdi), %xmm0
sha256rnds2 %xmm7, %xmm8
sha256rnds2 %xmm9, %xmm10
sha256rnds2 %xmm11, %xmm12
vmovdqa 16(%rsp), %xmm15
vpalignr $4, (%rsp), %xmm15, %xmm14
vpaddd 368(%rdi), %xmm14, %xmm14
sha256msg2 16(%rsp), %xmm14
vmovdqa %xmm14, 32(%rsp)
vmovq 280(%rdi), %xmm0
sha256rnds2 %xmm8, %xmm7
sha256rnds2 %xmm10, %xmm9
sha256rnds2 %xmm12, %xmm11
vmovdqa 80(%rsp), %xmm14
vpalignr $4, 64(%rsp), %xmm14, %xmm13
vpaddd 368(%rdi), %xmm13, %xmm13
sha256msg2 80(%rsp), %xmm13
vmovdqa %xmm13, 96(%rsp)
vmovdqa 208(%rsp), %xmm15
vpalignr $4, 192(%rsp), %xmm15, %xmm14
sha256msg2 208(%rsp), %xmm14
vmovdqa %xmm14, 224(%rsp)
vmovdqa 144(%rsp), %xmm13
vpalignr $4, 128(%rsp), %xmm13, %xmm15
vpaddd 368(%rdi), %xmm15, %xmm15
sha256msg2 144(%rsp), %xmm15
vmovdqa %xmm15, 160(%rsp)
vmovdqa 272(%rsp), %xmm14
vpalignr $4, 256(%rsp), %xmm14, %xmm13
sha256msg2 272(%rsp), %xmm13
vmovdqa %xmm13, 288(%rsp)
vmovdqa 320(%rdi), %xmm0
sha256rnds2 %xmm1, %xmm2
sha256rnds2 %xmm3, %xmm4
sha256rnds2 %xmm5, %xmm6
vmovdqa 336(%rsp), %xmm13
vpalignr $4, 320(%rsp), %xmm13, %xmm15
sha256msg2 336(%rsp), %xmm15
vmovdqa %xmm15, 352(%rsp)
vmovq 328(%rdi), %xmm0
sha256rnds2 %xmm2, %xmm1
sha256rnds2 %xmm4, %xmm3
sha256rnds2 %xmm6, %xmm5
vmovdqa 288(%rdi), %xmm0
sha256rnds2 %xmm7, %xmm8
sha256rnds2 %xmm9, %xmm10
sha256rnds2 %xmm11, %xmm12
vmovdqa (%rsp), %xmm0
vpaddd 64(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm1, %xmm2
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm2, %xmm1
vmovq 296(%rdi), %xmm0
sha256rnds2 %xmm8, %xmm7
sha256rnds2 %xmm10, %xmm9
sha256rnds2 %xmm12, %xmm11
vmovdqa 384(%rdi), %xmm14
sha256msg1 (%rsp), %xmm14
vmovdqa 32(%rsp), %xmm13
vpalignr $4, 16(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 32(%rsp), %xmm14
vmovdqa %xmm14, 48(%rsp)
vmovdqa 192(%rsp), %xmm0
vpaddd 64(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm7, %xmm8
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm8, %xmm7
vmovdqa 64(%rsp), %xmm0
vpaddd 64(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm3, %xmm4
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm4, %xmm3
vmovdqa 112(%rdx), %xmm14
vmovdqa 224(%rsp), %xmm13
vpalignr $4, 208(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 224(%rsp), %xmm14
vmovdqa %xmm14, 240(%rsp)
vmovdqa 384(%rdi), %xmm14
sha256msg1 64(%rsp), %xmm14
vmovdqa 96(%rsp), %xmm13
vpalignr $4, 80(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 96(%rsp), %xmm14
vmovdqa %xmm14, 112(%rsp)
vmovdqa 256(%rsp), %xmm0
vpaddd 64(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm9, %xmm10
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm10, %xmm9
vmovdqa 128(%rsp), %xmm0
vpaddd 64(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm5, %xmm6
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm6, %xmm5
vmovdqa 112(%rdx), %xmm14
vmovdqa 288(%rsp), %xmm13
vpalignr $4, 272(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 288(%rsp), %xmm14
vmovdqa %xmm14, 304(%rsp)
vmovdqa 384(%rdi), %xmm14
sha256msg1 128(%rsp), %xmm14
vmovdqa 160(%rsp), %xmm13
vpalignr $4, 144(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 160(%rsp), %xmm14
vmovdqa %xmm14, 176(%rsp)
vmovdqa 320(%rsp), %xmm0
vpaddd 64(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm11, %xmm12
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm12, %xmm11
vmovdqa 16(%rsp), %xmm0
vpaddd 80(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm1, %xmm2
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm2, %xmm1
vmovdqa 112(%rdx), %xmm14
vmovdqa 352(%rsp), %xmm13
vpalignr $4, 336(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 352(%rsp), %xmm14
vmovdqa %xmm14, 368(%rsp)
vmovdqa 80(%rsp), %xmm0
vpaddd 80(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm3, %xmm4
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm4, %xmm3
vmovdqa 208(%rsp), %xmm0
vpaddd 80(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm7, %xmm8
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm8, %xmm7
vmovdqa 144(%rsp), %xmm0
vpaddd 80(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm5, %xmm6
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm6, %xmm5
vmovdqa 272(%rsp), %xmm0
vpaddd 80(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm9, %xmm10
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm10, %xmm9
vmovdqa 32(%rsp), %xmm0
vpaddd 96(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm1, %xmm2
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm2, %xmm1
vmovdqa 336(%rsp), %xmm0
vpaddd 80(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm11, %xmm12
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm12, %xmm11
vmovdqa (%rsp), %xmm14
sha256msg1 16(%rsp), %xmm14
vmovdqa 48(%rsp), %xmm13
vpalignr $4, 32(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 48(%rsp), %xmm14
vmovdqa %xmm14, (%rsp)
vmovdqa 224(%rsp), %xmm0
vpaddd 96(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm7, %xmm8
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm8, %xmm7
vmovdqa 96(%rsp), %xmm0
vpaddd 96(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm3, %xmm4
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm4, %xmm3
vmovdqa 192(%rsp), %xmm14
sha256msg1 208(%rsp), %xmm14
vmovdqa 240(%rsp), %xmm13
vpalignr $4, 224(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 240(%rsp), %xmm14
vmovdqa %xmm14, 192(%rsp)
vmovdqa 64(%rsp), %xmm14
sha256msg1 80(%rsp), %xmm14
vmovdqa 112(%rsp), %xmm13
vpalignr $4, 96(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 112(%rsp), %xmm14
vmovdqa %xmm14, 64(%rsp)
vmovdqa 288(%rsp), %xmm0
vpaddd 96(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm9, %xmm10
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm10, %xmm9
vmovdqa 160(%rsp), %xmm0
vpaddd 96(%rdi), %xmm0, %xmm0
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
vmovdqa 128(%rsp), %xmm14
sha256msg1 144(%rsp), %xmm14
vmovdqa 176(%rsp), %xmm13
vpalignr $4, 160(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 176(%rsp), %xmm14
vmovdqa %xmm14, 128(%rsp)
vmovdqa 352(%rsp), %xmm0
vpaddd 96(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm11, %xmm12
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm12, %xmm11
vmovdqa 48(%rsp), %xmm0
vpaddd 112(%rdi), %xmm0, %xmm0
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
vmovdqa 16(%rsp), %xmm14
sha256msg1 32(%rsp), %xmm14
vmovdqa (%rsp), %xmm13
vpalignr $4, 48(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 (%rsp), %xmm14
vmovdqa %xmm14, 16(%rsp)
vmovdqa 240(%rsp), %xmm0
vpaddd 112(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm7, %xmm8
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm8, %xmm7
vmovdqa 112(%rsp), %xmm0
vpaddd 112(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm3, %xmm4
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm4, %xmm3
vmovdqa 208(%rsp), %xmm14
sha256msg1 224(%rsp), %xmm14
vmovdqa 192(%rsp), %xmm13
vpalignr $4, 240(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 192(%rsp), %xmm14
vmovdqa %xmm14, 208(%rsp)
vmovdqa 80(%rsp), %xmm14
sha256msg1 96(%rsp), %xmm14
vmovdqa 64(%rsp), %xmm13
vpalignr $4, 112(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 64(%rsp), %xmm14
vmovdqa %xmm14, 80(%rsp)
vmovdqa 304(%rsp), %xmm0
vpaddd 112(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm9, %xmm10
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm10, %xmm9
vmovdqa 176(%rsp), %xmm0
vpaddd 112(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm5, %xmm6
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm6, %xmm5
vmovdqa 272(%rsp), %xmm14
sha256msg1 288(%rsp), %xmm14
vmovdqa 256(%rsp), %xmm13
vpalignr $4, 304(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 256(%rsp), %xmm14
vmovdqa %xmm14, 272(%rsp)
vmovdqa 144(%rsp), %xmm14
sha256msg1 160(%rsp), %xmm14
vmovdqa 128(%rsp), %xmm13
vpalignr $4, 176(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 128(%rsp), %xmm14
vmovdqa %xmm14, 144(%rsp)
vmovdqa 368(%rsp), %xmm0
vpaddd 112(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm11, %xmm12
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm12, %xmm11
vmovdqa (%rsp), %xmm0
vpaddd 128(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm1, %xmm2
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm2, %xmm1
vmovdqa 336(%rsp), %xmm14
sha256msg1 352(%rsp), %xmm14
vmovdqa 320(%rsp), %xmm13
vpalignr $4, 368(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 320(%rsp), %xmm14
vmovdqa %xmm14, 336(%rsp)
vmovdqa 32(%rsp), %xmm14
sha256msg1 48(%rsp), %xmm14
vmovdqa 16(%rsp), %xmm13
vpalignr $4, (%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 16(%rsp), %xmm14
vmovdqa %xmm14, 32(%rsp)
vmovdqa 192(%rsp), %xmm0
vpaddd 128(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm7, %xmm8
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm8, %xmm7
vmovdqa 64(%rsp), %xmm0
vpaddd 128(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm3, %xmm4
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm4, %xmm3
vmovdqa 224(%rsp), %xmm14
sha256msg1 240(%rsp), %xmm14
vmovdqa 208(%rsp), %xmm13
vpalignr $4, 192(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 208(%rsp), %xmm14
vmovdqa %xmm14, 224(%rsp)
vmovdqa 96(%rsp), %xmm14
sha256msg1 112(%rsp), %xmm14
vmovdqa 80(%rsp), %xmm13
vpalignr $4, 64(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 80(%rsp), %xmm14
vmovdqa %xmm14, 96(%rsp)
vmovdqa 256(%rsp), %xmm0
vpaddd 128(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm9, %xmm10
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm10, %xmm9
vmovdqa 128(%rsp), %xmm0
vpaddd 128(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm5, %xmm6
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm6, %xmm5
vmovdqa 288(%rsp), %xmm14
sha256msg1 304(%rsp), %xmm14
vmovdqa 272(%rsp), %xmm13
vpalignr $4, 256(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 272(%rsp), %xmm14
vmovdqa %xmm14, 288(%rsp)
vmovdqa 320(%rsp), %xmm0
vpaddd 128(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm11, %xmm12
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm12, %xmm11
vmovdqa 160(%rsp), %xmm14
sha256msg1 176(%rsp), %xmm14
vmovdqa 144(%rsp), %xmm13
vpalignr $4, 128(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 144(%rsp), %xmm14
vmovdqa %xmm14, 160(%rsp)
vmovdqa 352(%rsp), %xmm14
sha256msg1 368(%rsp), %xmm14
vmovdqa 336(%rsp), %xmm13
vpalignr $4, 320(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 336(%rsp), %xmm14
vmovdqa %xmm14, 352(%rsp)
vmovdqa 16(%rsp), %xmm0
vpaddd 144(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm1, %xmm2
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm2, %xmm1
vmovdqa 208(%rsp), %xmm0
vpaddd 144(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm7, %xmm8
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm8, %xmm7
vmovdqa 48(%rsp), %xmm14
sha256msg1 (%rsp), %xmm14
vmovdqa 32(%rsp), %xmm13
vpalignr $4, 16(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 32(%rsp), %xmm14
vmovdqa %xmm14, 48(%rsp)
vmovdqa 240(%rsp), %xmm14
sha256msg1 192(%rsp), %xmm14
vmovdqa 224(%rsp), %xmm13
vpalignr $4, 208(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 224(%rsp), %xmm14
vmovdqa %xmm14, 240(%rsp)
vmovdqa 80(%rsp), %xmm0
vpaddd 144(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm3, %xmm4
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm4, %xmm3
vmovdqa 272(%rsp), %xmm0
vpaddd 144(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm9, %xmm10
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm10, %xmm9
vmovdqa 112(%rsp), %xmm14
sha256msg1 64(%rsp), %xmm14
vmovdqa 96(%rsp), %xmm13
vpalignr $4, 80(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 96(%rsp), %xmm14
vmovdqa %xmm14, 112(%rsp)
vmovdqa 304(%rsp), %xmm14
sha256msg1 256(%rsp), %xmm14
vmovdqa 288(%rsp), %xmm13
vpalignr $4, 272(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 288(%rsp), %xmm14
vmovdqa %xmm14, 304(%rsp)
vmovdqa 144(%rsp), %xmm0
vpaddd 144(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm5, %xmm6
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm6, %xmm5
vmovdqa 336(%rsp), %xmm0
vpaddd 144(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm11, %xmm12
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm12, %xmm11
vmovdqa 176(%rsp), %xmm14
sha256msg1 128(%rsp), %xmm14
vmovdqa 160(%rsp), %xmm13
vpalignr $4, 144(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 160(%rsp), %xmm14
vmovdqa %xmm14, 176(%rsp)
vmovdqa 368(%rsp), %xmm14
sha256msg1 320(%rsp), %xmm14
vmovdqa 352(%rsp), %xmm13
vpalignr $4, 336(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 352(%rsp), %xmm14
vmovdqa %xmm14, 368(%rsp)
vmovdqa 32(%rsp), %xmm0
vpaddd 160(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm1, %xmm2
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm2, %xmm1
vmovdqa 224(%rsp), %xmm0
vpaddd 160(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm7, %xmm8
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm8, %xmm7
vmovdqa (%rsp), %xmm14
sha256msg1 16(%rsp), %xmm14
vmovdqa 48(%rsp), %xmm13
vpalignr $4, 32(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 48(%rsp), %xmm14
vmovdqa %xmm14, (%rsp)
vmovdqa 192(%rsp), %xmm14
sha256msg1 208(%rsp), %xmm14
vmovdqa 240(%rsp), %xmm13
vpalignr $4, 224(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 240(%rsp), %xmm14
vmovdqa %xmm14, 192(%rsp)
vmovdqa 96(%rsp), %xmm0
vpaddd 160(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm3, %xmm4
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm4, %xmm3
vmovdqa 288(%rsp), %xmm0
vpaddd 160(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm9, %xmm10
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm10, %xmm9
vmovdqa 64(%rsp), %xmm14
sha256msg1 80(%rsp), %xmm14
vmovdqa 112(%rsp), %xmm13
vpalignr $4, 96(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 112(%rsp), %xmm14
vmovdqa %xmm14, 64(%rsp)
vmovdqa 256(%rsp), %xmm14
sha256msg1 272(%rsp), %xmm14
vmovdqa 304(%rsp), %xmm13
vpalignr $4, 288(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 304(%rsp), %xmm14
vmovdqa %xmm14, 256(%rsp)
vmovdqa 160(%rsp), %xmm0
vpaddd 160(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm5, %xmm6
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm6, %xmm5
vmovdqa 352(%rsp), %xmm0
vpaddd 160(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm11, %xmm12
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm12, %xmm11
vmovdqa 128(%rsp), %xmm14
sha256msg1 144(%rsp), %xmm14
vmovdqa 176(%rsp), %xmm13
vpalignr $4, 160(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 176(%rsp), %xmm14
vmovdqa %xmm14, 128(%rsp)
vmovdqa 320(%rsp), %xmm14
sha256msg1 336(%rsp), %xmm14
vmovdqa 368(%rsp), %xmm13
vpalignr $4, 352(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 368(%rsp), %xmm14
vmovdqa %xmm14, 320(%rsp)
vmovdqa 48(%rsp), %xmm0
vpaddd 176(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm1, %xmm2
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm2, %xmm1
vmovdqa 240(%rsp), %xmm0
vpaddd 176(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm7, %xmm8
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm8, %xmm7
vmovdqa 16(%rsp), %xmm14
sha256msg1 32(%rsp), %xmm14
vmovdqa (%rsp), %xmm13
vpalignr $4, 48(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 (%rsp), %xmm14
vmovdqa %xmm14, 16(%rsp)
vmovdqa 208(%rsp), %xmm14
sha256msg1 224(%rsp), %xmm14
vmovdqa 192(%rsp), %xmm13
vpalignr $4, 240(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 192(%rsp), %xmm14
vmovdqa %xmm14, 208(%rsp)
vmovdqa 112(%rsp), %xmm0
vpaddd 176(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm3, %xmm4
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm4, %xmm3
vmovdqa 304(%rsp), %xmm0
vpaddd 176(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm9, %xmm10
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm10, %xmm9
vmovdqa 80(%rsp), %xmm14
sha256msg1 96(%rsp), %xmm14
vmovdqa 64(%rsp), %xmm13
vpalignr $4, 112(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 64(%rsp), %xmm14
vmovdqa %xmm14, 80(%rsp)
vmovdqa 272(%rsp), %xmm14
sha256msg1 288(%rsp), %xmm14
vmovdqa 256(%rsp), %xmm13
vpalignr $4, 304(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 256(%rsp), %xmm14
vmovdqa %xmm14, 272(%rsp)
vmovdqa 176(%rsp), %xmm0
vpaddd 176(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm5, %xmm6
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm6, %xmm5
vmovdqa 368(%rsp), %xmm0
vpaddd 176(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm11, %xmm12
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm12, %xmm11
vmovdqa 144(%rsp), %xmm14
sha256msg1 160(%rsp), %xmm14
vmovdqa 128(%rsp), %xmm13
vpalignr $4, 176(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 128(%rsp), %xmm14
vmovdqa %xmm14, 144(%rsp)
vmovdqa 336(%rsp), %xmm14
sha256msg1 352(%rsp), %xmm14
vmovdqa 320(%rsp), %xmm13
vpalignr $4, 368(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 320(%rsp), %xmm14
vmovdqa %xmm14, 336(%rsp)
vmovdqa (%rsp), %xmm0
vpaddd 192(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm1, %xmm2
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm2, %xmm1
vmovdqa 192(%rsp), %xmm0
vpaddd 192(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm7, %xmm8
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm8, %xmm7
vmovdqa 32(%rsp), %xmm14
sha256msg1 48(%rsp), %xmm14
vmovdqa 16(%rsp), %xmm13
vpalignr $4, (%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 16(%rsp), %xmm14
vmovdqa %xmm14, 32(%rsp)
vmovdqa 224(%rsp), %xmm14
sha256msg1 240(%rsp), %xmm14
vmovdqa 208(%rsp), %xmm13
vpalignr $4, 192(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 208(%rsp), %xmm14
vmovdqa %xmm14, 224(%rsp)
vmovdqa 64(%rsp), %xmm0
vpaddd 192(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm3, %xmm4
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm4, %xmm3
vmovdqa 256(%rsp), %xmm0
vpaddd 192(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm9, %xmm10
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm10, %xmm9
vmovdqa 96(%rsp), %xmm14
sha256msg1 112(%rsp), %xmm14
vmovdqa 80(%rsp), %xmm13
vpalignr $4, 64(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 80(%rsp), %xmm14
vmovdqa %xmm14, 96(%rsp)
vmovdqa 288(%rsp), %xmm14
sha256msg1 304(%rsp), %xmm14
vmovdqa 272(%rsp), %xmm13
vpalignr $4, 256(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 272(%rsp), %xmm14
vmovdqa %xmm14, 288(%rsp)
vmovdqa 128(%rsp), %xmm0
vpaddd 192(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm5, %xmm6
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm6, %xmm5
vmovdqa 320(%rsp), %xmm0
vpaddd 192(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm11, %xmm12
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm12, %xmm11
vmovdqa 160(%rsp), %xmm14
sha256msg1 176(%rsp), %xmm14
vmovdqa 144(%rsp), %xmm13
vpalignr $4, 128(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 144(%rsp), %xmm14
vmovdqa %xmm14, 160(%rsp)
vmovdqa 352(%rsp), %xmm14
sha256msg1 368(%rsp), %xmm14
vmovdqa 336(%rsp), %xmm13
vpalignr $4, 320(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 336(%rsp), %xmm14
vmovdqa %xmm14, 352(%rsp)
vmovdqa 16(%rsp), %xmm0
vpaddd 208(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm1, %xmm2
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm2, %xmm1
vmovdqa 208(%rsp), %xmm0
vpaddd 208(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm7, %xmm8
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm8, %xmm7
vmovdqa 48(%rsp), %xmm14
sha256msg1 (%rsp), %xmm14
vmovdqa 32(%rsp), %xmm13
vpalignr $4, 16(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 32(%rsp), %xmm14
vmovdqa %xmm14, 48(%rsp)
vmovdqa 240(%rsp), %xmm14
sha256msg1 192(%rsp), %xmm14
vmovdqa 224(%rsp), %xmm13
vpalignr $4, 208(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 224(%rsp), %xmm14
vmovdqa %xmm14, 240(%rsp)
vmovdqa 80(%rsp), %xmm0
vpaddd 208(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm3, %xmm4
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm4, %xmm3
vmovdqa 272(%rsp), %xmm0
vpaddd 208(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm9, %xmm10
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm10, %xmm9
vmovdqa 112(%rsp), %xmm14
sha256msg1 64(%rsp), %xmm14
vmovdqa 96(%rsp), %xmm13
vpalignr $4, 80(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 96(%rsp), %xmm14
vmovdqa %xmm14, 112(%rsp)
vmovdqa 304(%rsp), %xmm14
sha256msg1 256(%rsp), %xmm14
vmovdqa 288(%rsp), %xmm13
vpalignr $4, 272(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 288(%rsp), %xmm14
vmovdqa %xmm14, 304(%rsp)
vmovdqa 144(%rsp), %xmm0
vpaddd 208(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm5, %xmm6
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm6, %xmm5
vmovdqa 336(%rsp), %xmm0
vpaddd 208(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm11, %xmm12
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm12, %xmm11
vmovdqa 176(%rsp), %xmm14
sha256msg1 128(%rsp), %xmm14
vmovdqa 160(%rsp), %xmm13
vpalignr $4, 144(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 160(%rsp), %xmm14
vmovdqa %xmm14, 176(%rsp)
vmovdqa 368(%rsp), %xmm14
sha256msg1 320(%rsp), %xmm14
vmovdqa 352(%rsp), %xmm13
vpalignr $4, 336(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 352(%rsp), %xmm14
vmovdqa %xmm14, 368(%rsp)
vmovdqa 32(%rsp), %xmm0
vpaddd 224(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm1, %xmm2
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm2, %xmm1
vmovdqa 224(%rsp), %xmm0
vpaddd 224(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm7, %xmm8
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm8, %xmm7
vmovdqa 96(%rsp), %xmm0
vpaddd 224(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm3, %xmm4
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm4, %xmm3
vmovdqa 288(%rsp), %xmm0
vpaddd 224(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm9, %xmm10
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm10, %xmm9
vmovdqa 160(%rsp), %xmm0
vpaddd 224(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm5, %xmm6
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm6, %xmm5
vmovdqa 352(%rsp), %xmm0
vpaddd 224(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm11, %xmm12
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm12, %xmm11
vmovdqa 48(%rsp), %xmm0
vpaddd 240(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm1, %xmm2
vmovdqa 240(%rsp), %xmm0
vpaddd 240(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm7, %xmm8
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm8, %xmm7
vmovdqa 112(%rsp), %xmm0
vpaddd 240(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm3, %xmm4
vmovdqa 304(%rsp), %xmm0
vpaddd 240(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm9, %xmm10
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm10, %xmm9
vmovdqa 176(%rsp), %xmm0
vpaddd 240(%rdi), %xmm0, %xmm0
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
vpshufd $27, %xmm7, %xmm14
vpshufd $177, %xmm8, %xmm15
vpblendd $12, %xmm15, %xmm14, %xmm13
vmovdqa %xmm13, (%rsp)
vpalignr $8, %xmm14, %xmm15, %xmm13
vmovdqa %xmm13, 16(%rsp)
vpaddd 32(%rdx), %xmm9, %xmm9
vpaddd 48(%rdx), %xmm10, %xmm10
vpshufd $27, %xmm9, %xmm14
vpshufd $177, %xmm10, %xmm15
vpblendd $12, %xmm15, %xmm14, %xmm13
vmovdqa %xmm13, 64(%rsp)
vpalignr $8, %xmm14, %xmm15, %xmm13
vmovdqa %xmm13, 80(%rsp)
vpaddd 32(%rdx), %xmm11, %xmm11
vpaddd 48(%rdx), %xmm12, %xmm12
vpshufd $27, %xmm11, %xmm14
vpshufd $177, %xmm12, %xmm15
vpblendd $12, %xmm15, %xmm14, %xmm13
vmovdqa %xmm13, 128(%rsp)
vpalignr $8, %xmm14, %xmm15, %xmm13
vmovdqa %xmm13, 144(%rsp)
add $12, %r9
add $12, %rsi
dec %r8
jnz 2b
mov %rbp, %rsp
pop %rbp
ret
