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
vmovdqa (%rsp), %xmm0
vpaddd (%rdi), %xmm0, %xmm0
sha256rnds2 %xmm1, %xmm2
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm2, %xmm1
vmovdqa (%rsp), %xmm14
sha256msg1 16(%rsp), %xmm14
sha256msg2 384(%rdi), %xmm14
vmovdqa %xmm14, (%rsp)
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
vmovdqa 64(%rsp), %xmm0
vpaddd (%rdi), %xmm0, %xmm0
sha256rnds2 %xmm3, %xmm4
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm4, %xmm3
vmovdqa 64(%rsp), %xmm15
sha256msg1 80(%rsp), %xmm15
sha256msg2 384(%rdi), %xmm15
vmovdqa %xmm15, 64(%rsp)
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
vmovq 264(%rdi), %xmm0
sha256rnds2 %xmm8, %xmm7
sha256rnds2 %xmm10, %xmm9
sha256rnds2 %xmm12, %xmm11
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
vmovdqa 16(%rsp), %xmm15
vpalignr $4, (%rsp), %xmm15, %xmm14
vpaddd 368(%rdi), %xmm14, %xmm14
sha256msg2 16(%rsp), %xmm14
vmovdqa %xmm14, 32(%rsp)
vmovdqa 80(%rsp), %xmm14
vpalignr $4, 64(%rsp), %xmm14, %xmm13
vpaddd 368(%rdi), %xmm13, %xmm13
sha256msg2 80(%rsp), %xmm13
vmovdqa %xmm13, 96(%rsp)
vmovq 280(%rdi), %xmm0
sha256rnds2 %xmm8, %xmm7
sha256rnds2 %xmm10, %xmm9
sha256rnds2 %xmm12, %xmm11
vmovdqa 144(%rsp), %xmm13
vpalignr $4, 128(%rsp), %xmm13, %xmm15
vpaddd 368(%rdi), %xmm15, %xmm15
sha256msg2 144(%rsp), %xmm15
vmovdqa %xmm15, 160(%rsp)
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
vmovdqa (%rsp), %xmm0
vpaddd 64(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm1, %xmm2
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm2, %xmm1
vmovdqa 384(%rdi), %xmm14
sha256msg1 (%rsp), %xmm14
vmovdqa 32(%rsp), %xmm13
vpalignr $4, 16(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 32(%rsp), %xmm14
vmovdqa %xmm14, 48(%rsp)
vmovq 296(%rdi), %xmm0
sha256rnds2 %xmm8, %xmm7
sha256rnds2 %xmm10, %xmm9
sha256rnds2 %xmm12, %xmm11
vmovdqa 64(%rsp), %xmm0
vpaddd 64(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm3, %xmm4
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm4, %xmm3
vmovdqa 384(%rdi), %xmm14
sha256msg1 64(%rsp), %xmm14
vmovdqa 96(%rsp), %xmm13
vpalignr $4, 80(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 96(%rsp), %xmm14
vmovdqa %xmm14, 112(%rsp)
vmovdqa 128(%rsp), %xmm0
vpaddd 64(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm5, %xmm6
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm6, %xmm5
vmovdqa (%rsi), %xmm0
sha256rnds2 %xmm7, %xmm8
sha256rnds2 %xmm9, %xmm10
sha256rnds2 %xmm11, %xmm12
vmovdqa 384(%rdi), %xmm14
sha256msg1 128(%rsp), %xmm14
vmovdqa 160(%rsp), %xmm13
vpalignr $4, 144(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 160(%rsp), %xmm14
vmovdqa %xmm14, 176(%rsp)
vmovdqa 16(%rsp), %xmm0
vpaddd 80(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm1, %xmm2
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm2, %xmm1
vmovq 8(%rsi), %xmm0
sha256rnds2 %xmm8, %xmm7
sha256rnds2 %xmm10, %xmm9
sha256rnds2 %xmm12, %xmm11
vmovdqa 80(%rsp), %xmm0
vpaddd 80(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm3, %xmm4
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm4, %xmm3
vmovdqa 144(%rsp), %xmm0
vpaddd 80(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm5, %xmm6
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm6, %xmm5
vmovdqa 32(%rsp), %xmm0
vpaddd 96(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm1, %xmm2
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm2, %xmm1
vmovdqa 16(%rsi), %xmm0
sha256rnds2 %xmm7, %xmm8
sha256rnds2 %xmm9, %xmm10
sha256rnds2 %xmm11, %xmm12
vmovdqa (%rsp), %xmm14
sha256msg1 16(%rsp), %xmm14
vmovdqa 48(%rsp), %xmm13
vpalignr $4, 32(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 48(%rsp), %xmm14
vmovdqa %xmm14, (%rsp)
vmovdqa 96(%rsp), %xmm0
vpaddd 96(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm3, %xmm4
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm4, %xmm3
vmovq 24(%rsi), %xmm0
sha256rnds2 %xmm8, %xmm7
sha256rnds2 %xmm10, %xmm9
sha256rnds2 %xmm12, %xmm11
vmovdqa 64(%rsp), %xmm14
sha256msg1 80(%rsp), %xmm14
vmovdqa 112(%rsp), %xmm13
vpalignr $4, 96(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 112(%rsp), %xmm14
vmovdqa %xmm14, 64(%rsp)
vmovdqa 160(%rsp), %xmm0
vpaddd 96(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm5, %xmm6
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm6, %xmm5
vmovdqa 32(%rsi), %xmm0
sha256rnds2 %xmm7, %xmm8
sha256rnds2 %xmm9, %xmm10
sha256rnds2 %xmm11, %xmm12
vmovdqa 128(%rsp), %xmm14
sha256msg1 144(%rsp), %xmm14
vmovdqa 176(%rsp), %xmm13
vpalignr $4, 160(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 176(%rsp), %xmm14
vmovdqa %xmm14, 128(%rsp)
vmovdqa 48(%rsp), %xmm0
vpaddd 112(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm1, %xmm2
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm2, %xmm1
vmovdqa 16(%rsp), %xmm14
sha256msg1 32(%rsp), %xmm14
vmovdqa (%rsp), %xmm13
vpalignr $4, 48(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 (%rsp), %xmm14
vmovdqa %xmm14, 16(%rsp)
vmovq 40(%rsi), %xmm0
sha256rnds2 %xmm8, %xmm7
sha256rnds2 %xmm10, %xmm9
sha256rnds2 %xmm12, %xmm11
vmovdqa 112(%rsp), %xmm0
vpaddd 112(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm3, %xmm4
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm4, %xmm3
vmovdqa 80(%rsp), %xmm14
sha256msg1 96(%rsp), %xmm14
vmovdqa 64(%rsp), %xmm13
vpalignr $4, 112(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 64(%rsp), %xmm14
vmovdqa %xmm14, 80(%rsp)
vmovdqa 48(%rsi), %xmm0
sha256rnds2 %xmm7, %xmm8
sha256rnds2 %xmm9, %xmm10
sha256rnds2 %xmm11, %xmm12
vmovdqa 176(%rsp), %xmm0
vpaddd 112(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm5, %xmm6
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm6, %xmm5
vmovdqa 144(%rsp), %xmm14
sha256msg1 160(%rsp), %xmm14
vmovdqa 128(%rsp), %xmm13
vpalignr $4, 176(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 128(%rsp), %xmm14
vmovdqa %xmm14, 144(%rsp)
vmovdqa (%rsp), %xmm0
vpaddd 128(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm1, %xmm2
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm2, %xmm1
vmovq 56(%rsi), %xmm0
sha256rnds2 %xmm8, %xmm7
sha256rnds2 %xmm10, %xmm9
sha256rnds2 %xmm12, %xmm11
vmovdqa 32(%rsp), %xmm14
sha256msg1 48(%rsp), %xmm14
vmovdqa 16(%rsp), %xmm13
vpalignr $4, (%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 16(%rsp), %xmm14
vmovdqa %xmm14, 32(%rsp)
vmovdqa 64(%rsp), %xmm0
vpaddd 128(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm3, %xmm4
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm4, %xmm3
vmovdqa 64(%rsi), %xmm0
sha256rnds2 %xmm7, %xmm8
sha256rnds2 %xmm9, %xmm10
sha256rnds2 %xmm11, %xmm12
vmovdqa 96(%rsp), %xmm14
sha256msg1 112(%rsp), %xmm14
vmovdqa 80(%rsp), %xmm13
vpalignr $4, 64(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 80(%rsp), %xmm14
vmovdqa %xmm14, 96(%rsp)
vmovdqa 128(%rsp), %xmm0
vpaddd 128(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm5, %xmm6
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm6, %xmm5
vmovdqa 160(%rsp), %xmm14
sha256msg1 176(%rsp), %xmm14
vmovdqa 144(%rsp), %xmm13
vpalignr $4, 128(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 144(%rsp), %xmm14
vmovdqa %xmm14, 160(%rsp)
vmovq 72(%rsi), %xmm0
sha256rnds2 %xmm8, %xmm7
sha256rnds2 %xmm10, %xmm9
sha256rnds2 %xmm12, %xmm11
vmovdqa 16(%rsp), %xmm0
vpaddd 144(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm1, %xmm2
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm2, %xmm1
vmovdqa 48(%rsp), %xmm14
sha256msg1 (%rsp), %xmm14
vmovdqa 32(%rsp), %xmm13
vpalignr $4, 16(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 32(%rsp), %xmm14
vmovdqa %xmm14, 48(%rsp)
vmovdqa 80(%rsi), %xmm0
sha256rnds2 %xmm7, %xmm8
sha256rnds2 %xmm9, %xmm10
sha256rnds2 %xmm11, %xmm12
vmovdqa 80(%rsp), %xmm0
vpaddd 144(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm3, %xmm4
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm4, %xmm3
vmovdqa 112(%rsp), %xmm14
sha256msg1 64(%rsp), %xmm14
vmovdqa 96(%rsp), %xmm13
vpalignr $4, 80(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 96(%rsp), %xmm14
vmovdqa %xmm14, 112(%rsp)
vmovdqa 144(%rsp), %xmm0
vpaddd 144(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm5, %xmm6
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm6, %xmm5
vmovq 88(%rsi), %xmm0
sha256rnds2 %xmm8, %xmm7
sha256rnds2 %xmm10, %xmm9
sha256rnds2 %xmm12, %xmm11
vmovdqa 176(%rsp), %xmm14
sha256msg1 128(%rsp), %xmm14
vmovdqa 160(%rsp), %xmm13
vpalignr $4, 144(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 160(%rsp), %xmm14
vmovdqa %xmm14, 176(%rsp)
vmovdqa 32(%rsp), %xmm0
vpaddd 160(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm1, %xmm2
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm2, %xmm1
vmovdqa 96(%rsi), %xmm0
sha256rnds2 %xmm7, %xmm8
sha256rnds2 %xmm9, %xmm10
sha256rnds2 %xmm11, %xmm12
vmovdqa (%rsp), %xmm14
sha256msg1 16(%rsp), %xmm14
vmovdqa 48(%rsp), %xmm13
vpalignr $4, 32(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 48(%rsp), %xmm14
vmovdqa %xmm14, (%rsp)
vmovdqa 96(%rsp), %xmm0
vpaddd 160(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm3, %xmm4
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm4, %xmm3
vmovdqa 64(%rsp), %xmm14
sha256msg1 80(%rsp), %xmm14
vmovdqa 112(%rsp), %xmm13
vpalignr $4, 96(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 112(%rsp), %xmm14
vmovdqa %xmm14, 64(%rsp)
vmovq 104(%rsi), %xmm0
sha256rnds2 %xmm8, %xmm7
sha256rnds2 %xmm10, %xmm9
sha256rnds2 %xmm12, %xmm11
vmovdqa 160(%rsp), %xmm0
vpaddd 160(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm5, %xmm6
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm6, %xmm5
vmovdqa 128(%rsp), %xmm14
sha256msg1 144(%rsp), %xmm14
vmovdqa 176(%rsp), %xmm13
vpalignr $4, 160(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 176(%rsp), %xmm14
vmovdqa %xmm14, 128(%rsp)
vmovdqa 112(%rsi), %xmm0
sha256rnds2 %xmm7, %xmm8
sha256rnds2 %xmm9, %xmm10
sha256rnds2 %xmm11, %xmm12
vmovdqa 48(%rsp), %xmm0
vpaddd 176(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm1, %xmm2
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm2, %xmm1
vmovdqa 16(%rsp), %xmm14
sha256msg1 32(%rsp), %xmm14
vmovdqa (%rsp), %xmm13
vpalignr $4, 48(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 (%rsp), %xmm14
vmovdqa %xmm14, 16(%rsp)
vmovq 120(%rsi), %xmm0
sha256rnds2 %xmm8, %xmm7
sha256rnds2 %xmm10, %xmm9
sha256rnds2 %xmm12, %xmm11
vmovdqa 112(%rsp), %xmm0
vpaddd 176(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm3, %xmm4
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm4, %xmm3
vmovdqa 80(%rsp), %xmm14
sha256msg1 96(%rsp), %xmm14
vmovdqa 64(%rsp), %xmm13
vpalignr $4, 112(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 64(%rsp), %xmm14
vmovdqa %xmm14, 80(%rsp)
vmovdqa 176(%rsp), %xmm0
vpaddd 176(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm5, %xmm6
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm6, %xmm5
vmovdqa 128(%rsi), %xmm0
sha256rnds2 %xmm7, %xmm8
sha256rnds2 %xmm9, %xmm10
sha256rnds2 %xmm11, %xmm12
vmovdqa 144(%rsp), %xmm14
sha256msg1 160(%rsp), %xmm14
vmovdqa 128(%rsp), %xmm13
vpalignr $4, 176(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 128(%rsp), %xmm14
vmovdqa %xmm14, 144(%rsp)
vmovdqa (%rsp), %xmm0
vpaddd 192(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm1, %xmm2
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm2, %xmm1
vmovq 136(%rsi), %xmm0
sha256rnds2 %xmm8, %xmm7
sha256rnds2 %xmm10, %xmm9
sha256rnds2 %xmm12, %xmm11
vmovdqa 32(%rsp), %xmm14
sha256msg1 48(%rsp), %xmm14
vmovdqa 16(%rsp), %xmm13
vpalignr $4, (%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 16(%rsp), %xmm14
vmovdqa %xmm14, 32(%rsp)
vmovdqa 64(%rsp), %xmm0
vpaddd 192(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm3, %xmm4
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm4, %xmm3
vmovdqa 96(%rsp), %xmm14
sha256msg1 112(%rsp), %xmm14
vmovdqa 80(%rsp), %xmm13
vpalignr $4, 64(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 80(%rsp), %xmm14
vmovdqa %xmm14, 96(%rsp)
vmovdqa 144(%rsi), %xmm0
sha256rnds2 %xmm7, %xmm8
sha256rnds2 %xmm9, %xmm10
sha256rnds2 %xmm11, %xmm12
vmovdqa 128(%rsp), %xmm0
vpaddd 192(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm5, %xmm6
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm6, %xmm5
vmovdqa 160(%rsp), %xmm14
sha256msg1 176(%rsp), %xmm14
vmovdqa 144(%rsp), %xmm13
vpalignr $4, 128(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 144(%rsp), %xmm14
vmovdqa %xmm14, 160(%rsp)
vmovq 152(%rsi), %xmm0
sha256rnds2 %xmm8, %xmm7
sha256rnds2 %xmm10, %xmm9
sha256rnds2 %xmm12, %xmm11
vmovdqa 16(%rsp), %xmm0
vpaddd 208(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm1, %xmm2
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm2, %xmm1
vmovdqa 48(%rsp), %xmm14
sha256msg1 (%rsp), %xmm14
vmovdqa 32(%rsp), %xmm13
vpalignr $4, 16(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 32(%rsp), %xmm14
vmovdqa %xmm14, 48(%rsp)
vmovdqa 80(%rsp), %xmm0
vpaddd 208(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm3, %xmm4
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm4, %xmm3
vmovdqa 160(%rsi), %xmm0
sha256rnds2 %xmm7, %xmm8
sha256rnds2 %xmm9, %xmm10
sha256rnds2 %xmm11, %xmm12
vmovdqa 112(%rsp), %xmm14
sha256msg1 64(%rsp), %xmm14
vmovdqa 96(%rsp), %xmm13
vpalignr $4, 80(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 96(%rsp), %xmm14
vmovdqa %xmm14, 112(%rsp)
vmovdqa 144(%rsp), %xmm0
vpaddd 208(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm5, %xmm6
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm6, %xmm5
vmovq 168(%rsi), %xmm0
sha256rnds2 %xmm8, %xmm7
sha256rnds2 %xmm10, %xmm9
sha256rnds2 %xmm12, %xmm11
vmovdqa 176(%rsp), %xmm14
sha256msg1 128(%rsp), %xmm14
vmovdqa 160(%rsp), %xmm13
vpalignr $4, 144(%rsp), %xmm13, %xmm15
vpaddd %xmm15, %xmm14, %xmm14
sha256msg2 160(%rsp), %xmm14
vmovdqa %xmm14, 176(%rsp)
vmovdqa 32(%rsp), %xmm0
vpaddd 224(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm1, %xmm2
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm2, %xmm1
vmovdqa 96(%rsp), %xmm0
vpaddd 224(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm3, %xmm4
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm4, %xmm3
vmovdqa 176(%rsi), %xmm0
sha256rnds2 %xmm7, %xmm8
sha256rnds2 %xmm9, %xmm10
sha256rnds2 %xmm11, %xmm12
vmovdqa 160(%rsp), %xmm0
vpaddd 224(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm5, %xmm6
vpshufd $14, %xmm0, %xmm0
sha256rnds2 %xmm6, %xmm5
vmovdqa 48(%rsp), %xmm0
vpaddd 240(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm1, %xmm2
vmovq 184(%rsi), %xmm0
sha256rnds2 %xmm8, %xmm7
sha256rnds2 %xmm10, %xmm9
sha256rnds2 %xmm12, %xmm11
vmovdqa 112(%rsp), %xmm0
vpaddd 240(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm3, %xmm4
vmovdqa 176(%rsp), %xmm0
vpaddd 240(%rdi), %xmm0, %xmm0
sha256rnds2 %xmm5, %xmm6
vmovd %xmm2, (%r9)
vmovd %xmm4, 4(%r9)
vmovd %xmm6, 8(%r9)
vpaddd 32(%r10), %xmm7, %xmm7
vpaddd 48(%r10), %xmm8, %xmm8
vpshufd $27, %xmm7, %xmm14
vpshufd $177, %xmm8, %xmm15
vpblendd $12, %xmm15, %xmm14, %xmm13
vmovdqa %xmm13, (%rsp)
vpalignr $8, %xmm14, %xmm15, %xmm13
vmovdqa %xmm13, 16(%rsp)
vpaddd 96(%r10), %xmm9, %xmm9
vpaddd 112(%r10), %xmm10, %xmm10
vpshufd $27, %xmm9, %xmm14
vpshufd $177, %xmm10, %xmm15
vpblendd $12, %xmm15, %xmm14, %xmm13
vmovdqa %xmm13, 64(%rsp)
vpalignr $8, %xmm14, %xmm15, %xmm13
vmovdqa %xmm13, 80(%rsp)
vpaddd 160(%r10), %xmm11, %xmm11
vpaddd 176(%r10), %xmm12, %xmm12
vpshufd $27, %xmm11, %xmm14
vpshufd $177, %xmm12, %xmm15
vpblendd $12, %xmm15, %xmm14, %xmm13
vmovdqa %xmm13, 128(%rsp)
vpalignr $8, %xmm14, %xmm15, %xmm13
vmovdqa %xmm13, 144(%rsp)
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
