// Double SHA-256 (FIPS 180-4) of headers that differ in nonce and version, in OpenCL C 1.1.
//
// Build options: WIDTH (1, 2, 4, 8 or 16) is how many nonces a work item hashes at once, in the lanes of a vector; UNROLLED (0 or 1)
// whether the rounds from 32 on are written out or looped over by sixteen; CARRIED (0 or 1) which of two forms the majority
// function has: one that takes a term over from the round before, or one that a processor may do in one instruction.
//
// What all nonces share comes from the host: the state after the header's first 64 bytes, the first four rounds but for the nonce,
// and the parts of the message schedule that no nonce enters. The second hash ends as soon as its most significant word is known.

#define GLUE(a, b) a##b
#define WIDE(type, width) GLUE(type, width)

#if WIDTH == 1
typedef uint words;
#define LANES 0
#define ANY_AT_MOST(x, limit) ((x) <= (limit))
#else
typedef WIDE(uint, WIDTH) words;
#define ANY_AT_MOST(x, limit) any((x) <= (words)(limit))
#if WIDTH == 2
#define LANES (words)(0, 1)
#elif WIDTH == 4
#define LANES (words)(0, 1, 2, 3)
#elif WIDTH == 8
#define LANES (words)(0, 1, 2, 3, 4, 5, 6, 7)
#else
#define LANES (words)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
#endif
#endif

// How many candidates the answer has room for; the host's ROOM.
#ifndef ROOM
#define ROOM 126
#endif

__constant uint K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

// The initial state.
#define H0 0x6a09e667u
#define H1 0xbb67ae85u
#define H2 0x3c6ef372u
#define H3 0xa54ff53au
#define H4 0x510e527fu
#define H5 0x9b05688cu
#define H6 0x1f83d9abu
#define H7 0x5be0cd19u

// The word after a message's end, and the lengths of a header and of a hash in bits.
#define PADDING 0x80000000u
#define HEADER_BITS 640u
#define HASH_BITS 256u

#define RIGHT(x, n) rotate((x), (words)(32u - (n)))
#define BIG0(x) (RIGHT(x, 2u) ^ RIGHT(x, 13u) ^ RIGHT(x, 22u))
#define BIG1(x) (RIGHT(x, 6u) ^ RIGHT(x, 11u) ^ RIGHT(x, 25u))
#define SMALL0(x) (RIGHT(x, 7u) ^ RIGHT(x, 18u) ^ ((x) >> 3u))
#define SMALL1(x) (RIGHT(x, 17u) ^ RIGHT(x, 19u) ^ ((x) >> 10u))

// The same of words that are known to the compiler.
#define RIGHT_OF(x, n) (((x) >> (n)) | ((x) << (32u - (n))))
#define SMALL0_OF(x) (RIGHT_OF(x, 7u) ^ RIGHT_OF(x, 18u) ^ ((x) >> 3u))
#define SMALL1_OF(x) (RIGHT_OF(x, 17u) ^ RIGHT_OF(x, 19u) ^ ((x) >> 10u))

#if CARRIED
// `carried` is b ^ c: a ^ b of the round before.
#define CHOICE(e, f, g) ((((f) ^ (g)) & (e)) ^ (g))
#define MAJORITY(a, b, c, result)                                                                      \
    {                                                                                                  \
        const words differ = (a) ^ (b);                                                                \
        result = (differ & carried) ^ (b);                                                             \
        carried = differ;                                                                              \
    }
#define CARRY(b, c) words carried = (b) ^ (c);
#else
#define CHOICE(e, f, g) bitselect((g), (f), (e))
#define MAJORITY(a, b, c, result) result = bitselect((a), (b), (c) ^ (a));
#define CARRY(b, c)
#endif

#define ROUND(a, b, c, d, e, f, g, h, kw)                                                              \
    {                                                                                                  \
        const words t1 = (h) + BIG1(e) + CHOICE(e, f, g) + (kw);                                       \
        words majority;                                                                                \
        MAJORITY(a, b, c, majority)                                                                    \
        d += t1;                                                                                       \
        h = t1 + BIG0(a) + majority;                                                                   \
    }

// Rounds i to i + 3 and i + 4 to i + 7, whose constants and message words together KW gives. The words of the state change places
// instead of being moved.
#define FIRST_FOUR(i, KW)                                                                              \
    ROUND(a, b, c, d, e, f, g, h, KW((i)))                                                             \
    ROUND(h, a, b, c, d, e, f, g, KW((i) + 1))                                                         \
    ROUND(g, h, a, b, c, d, e, f, KW((i) + 2))                                                         \
    ROUND(f, g, h, a, b, c, d, e, KW((i) + 3))
#define LAST_FOUR(i, KW)                                                                               \
    ROUND(e, f, g, h, a, b, c, d, KW((i)))                                                             \
    ROUND(d, e, f, g, h, a, b, c, KW((i) + 1))                                                         \
    ROUND(c, d, e, f, g, h, a, b, KW((i) + 2))                                                         \
    ROUND(b, c, d, e, f, g, h, a, KW((i) + 3))
#define EIGHT(i, KW) FIRST_FOUR(i, KW) LAST_FOUR((i) + 4, KW)
#define SIXTEEN(i, KW) EIGHT(i, KW) EIGHT((i) + 8, KW)

// A message word that is there already, and one that is made in the place of the one sixteen before it.
#define READY(i) (K[(i)] + w[(i) & 15])
#define NEXT(i) (w[(i) & 15] += SMALL1(w[((i) + 14) & 15]) + w[((i) + 9) & 15] + SMALL0(w[((i) + 1) & 15]))
#define MADE(i) (K[(i)] + NEXT(i))
#define BLANK(i) (words)(K[(i)])
// The same in a loop, for the sixteen rounds from `from` on.
#define LOOPED(i) (K[from + (i)] + NEXT(i))

#define SWAPPED(x) ((RIGHT(x, 8u) & 0xff00ff00u) | (rotate((x), (words)(8u)) & 0x00ff00ffu))

// `shared`: W16, W17, and what of W18, W19, W31 and W32 no nonce enters. `versions`: sixteen words for each version: the state after
// the first 64 bytes, and after four more rounds with a nonce of zero. The answer: how many candidates there were, the lowest offset
// of their nonces, and an offset and a version for each that found room.
__kernel void search(__constant const uint *shared, __global const uint *versions, const uint first, const uint count,
                     const uint threshold, volatile __global uint *answer)
{
    const uint offset = (uint)get_global_id(0) * WIDTH;
    const uint version = (uint)get_global_id(1);
    __global const uint *before = versions + version * 16;
    __global const uint *after = before + 8;
    const words nonce = (words)(first + offset) + LANES;
    const words w3 = SWAPPED(nonce);
    words w[16];

    // The first hash's second block, from the fifth round on.
    words a = (words)(after[0]) + w3;
    words b = (words)(after[1]);
    words c = (words)(after[2]);
    words d = (words)(after[3]);
    words e = (words)(after[4]) + w3;
    words f = (words)(after[5]);
    words g = (words)(after[6]);
    words h = (words)(after[7]);
    {
        CARRY(b, c)
        // Rounds 4 to 15.
        ROUND(a, b, c, d, e, f, g, h, (words)(K[4] + PADDING))
        ROUND(h, a, b, c, d, e, f, g, BLANK(5))
        ROUND(g, h, a, b, c, d, e, f, BLANK(6))
        ROUND(f, g, h, a, b, c, d, e, BLANK(7))
        LAST_FOUR(8, BLANK)
        ROUND(a, b, c, d, e, f, g, h, BLANK(12))
        ROUND(h, a, b, c, d, e, f, g, BLANK(13))
        ROUND(g, h, a, b, c, d, e, f, BLANK(14))
        ROUND(f, g, h, a, b, c, d, e, (words)(K[15] + HEADER_BITS))

        w[0] = (words)(shared[0]);
        w[1] = (words)(shared[1]);
        w[2] = (words)(shared[2]) + SMALL0(w3);
        w[3] = (words)(shared[3]) + w3;
        w[4] = (words)(PADDING) + SMALL1(w[2]);
        w[5] = SMALL1(w[3]);
        w[6] = (words)(HEADER_BITS) + SMALL1(w[4]);
        w[7] = w[0] + SMALL1(w[5]);
        w[8] = w[1] + SMALL1(w[6]);
        w[9] = w[2] + SMALL1(w[7]);
        w[10] = w[3] + SMALL1(w[8]);
        w[11] = w[4] + SMALL1(w[9]);
        w[12] = w[5] + SMALL1(w[10]);
        w[13] = w[6] + SMALL1(w[11]);
        w[14] = w[7] + SMALL1(w[12]) + (words)(SMALL0_OF(HEADER_BITS));
        w[15] = w[8] + SMALL1(w[13]) + (words)(shared[4]);

        // Rounds 16 to 63. Four rounds turned the state's words by half.
        LAST_FOUR(16, READY)
        FIRST_FOUR(20, READY)
        LAST_FOUR(24, READY)
        FIRST_FOUR(28, READY)
#if UNROLLED
        w[0] = (words)(shared[5]) + SMALL1(w[14]) + w[9];
        ROUND(e, f, g, h, a, b, c, d, READY(32))
        ROUND(d, e, f, g, h, a, b, c, MADE(33))
        ROUND(c, d, e, f, g, h, a, b, MADE(34))
        ROUND(b, c, d, e, f, g, h, a, MADE(35))
        FIRST_FOUR(36, MADE)
        LAST_FOUR(40, MADE)
        FIRST_FOUR(44, MADE)
        LAST_FOUR(48, MADE)
        FIRST_FOUR(52, MADE)
        LAST_FOUR(56, MADE)
        FIRST_FOUR(60, MADE)
#else
#pragma unroll 1
        for (uint from = 32; from < 64; from += 16) {
            LAST_FOUR(0, LOOPED)
            FIRST_FOUR(4, LOOPED)
            LAST_FOUR(8, LOOPED)
            FIRST_FOUR(12, LOOPED)
        }
#endif
    }

    // The hash of that hash. The state's words stand where twelve rounds' half turns left them.
    w[0] = (words)(before[0]) + e;
    w[1] = (words)(before[1]) + f;
    w[2] = (words)(before[2]) + g;
    w[3] = (words)(before[3]) + h;
    w[4] = (words)(before[4]) + a;
    w[5] = (words)(before[5]) + b;
    w[6] = (words)(before[6]) + c;
    w[7] = (words)(before[7]) + d;
    a = (words)(H0);
    b = (words)(H1);
    c = (words)(H2);
    d = (words)(H3);
    e = (words)(H4);
    f = (words)(H5);
    g = (words)(H6);
    h = (words)(H7);
    CARRY(b, c)
    EIGHT(0, READY)
    ROUND(a, b, c, d, e, f, g, h, (words)(K[8] + PADDING))
    ROUND(h, a, b, c, d, e, f, g, BLANK(9))
    ROUND(g, h, a, b, c, d, e, f, BLANK(10))
    ROUND(f, g, h, a, b, c, d, e, BLANK(11))
    ROUND(e, f, g, h, a, b, c, d, BLANK(12))
    ROUND(d, e, f, g, h, a, b, c, BLANK(13))
    ROUND(c, d, e, f, g, h, a, b, BLANK(14))
    ROUND(b, c, d, e, f, g, h, a, (words)(K[15] + HASH_BITS))

    w[0] += SMALL0(w[1]);
    w[1] += SMALL0(w[2]) + (words)(SMALL1_OF(HASH_BITS));
    w[2] += SMALL0(w[3]) + SMALL1(w[0]);
    w[3] += SMALL0(w[4]) + SMALL1(w[1]);
    w[4] += SMALL0(w[5]) + SMALL1(w[2]);
    w[5] += SMALL0(w[6]) + SMALL1(w[3]);
    w[6] += SMALL0(w[7]) + SMALL1(w[4]) + (words)(HASH_BITS);
    w[7] += (words)(SMALL0_OF(PADDING)) + SMALL1(w[5]) + w[0];
    w[8] = (words)(PADDING) + SMALL1(w[6]) + w[1];
    w[9] = SMALL1(w[7]) + w[2];
    w[10] = SMALL1(w[8]) + w[3];
    w[11] = SMALL1(w[9]) + w[4];
    w[12] = SMALL1(w[10]) + w[5];
    w[13] = SMALL1(w[11]) + w[6];
    w[14] = (words)(SMALL0_OF(HASH_BITS)) + SMALL1(w[12]) + w[7];
    w[15] = (words)(HASH_BITS) + SMALL0(w[0]) + SMALL1(w[13]) + w[8];
    SIXTEEN(16, READY)
#if UNROLLED
    SIXTEEN(32, MADE)
    EIGHT(48, MADE)
    FIRST_FOUR(56, MADE)
    // Of round 60 only what it adds to `d`, by now in `h`: three rounds on it is the state's last word.
    const words last = h + (words)(H7) + (d + BIG1(a) + CHOICE(a, b, c) + MADE(60));
#else
#pragma unroll 1
    for (uint from = 32; from < 64; from += 16) {
        SIXTEEN(0, LOOPED)
    }
    const words last = h + (words)(H7);
#endif
    const words top = SWAPPED(last);

    if (ANY_AT_MOST(top, threshold)) {
        uint tops[WIDTH];
#if WIDTH == 1
        tops[0] = top;
#else
        WIDE(vstore, WIDTH)(top, 0, tops);
#endif
        for (uint lane = 0; lane < WIDTH; lane++) {
            // Beyond the end of the range there is nothing to find, and its nonces may have begun again at zero.
            if (tops[lane] <= threshold && offset + lane < count) {
                const uint place = atomic_inc(&answer[0]);
                atomic_min(&answer[1], offset + lane);
                if (place < ROOM) {
                    answer[2 + 2 * place] = offset + lane;
                    answer[3 + 2 * place] = version;
                }
            }
        }
    }
}
