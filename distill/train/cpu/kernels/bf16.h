// Vectors of 16 values in GCC's and Clang's own notation, any processor they know; bf16 in memory, float32 in sums.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

#ifdef __AVX512F__
#include <immintrin.h>
#endif

constexpr int LANES = 16;
typedef float Floats __attribute__((vector_size(4 * LANES)));
typedef int32_t Ints __attribute__((vector_size(4 * LANES)));
typedef uint32_t Words __attribute__((vector_size(4 * LANES)));
typedef uint16_t Halves __attribute__((vector_size(2 * LANES)));

inline Floats load(const uint16_t* from) {
#ifdef __AVX512F__  // GCC 12 makes ten instructions of what follows
    return (Floats)_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i*)from)), 16);
#else
    Halves halves;
    std::memcpy(&halves, from, sizeof halves);
    Words words = __builtin_convertvector(halves, Words) << 16;
    Floats floats;
    std::memcpy(&floats, &words, sizeof floats);
    return floats;
#endif
}

inline Floats load(const float* from) {
    Floats floats;
    std::memcpy(&floats, from, sizeof floats);
    return floats;
}

inline void store(uint16_t* to, Floats floats) {  // to the nearest, ties to even
#ifdef __AVX512BF16__
    const __m256bh halves = _mm512_cvtneps_pbh((__m512)floats);
    std::memcpy(to, &halves, sizeof halves);
#else
    Words words;
    std::memcpy(&words, &floats, sizeof words);
    Words rounded = (words + 0x7fffu + ((words >> 16) & 1u)) >> 16;
    Ints number = floats == floats;
    rounded = (rounded & (Words)number) | (0x7fc0u & ~(Words)number);
    Halves halves = __builtin_convertvector(rounded, Halves);
    std::memcpy(to, &halves, sizeof halves);
#endif
}

// `parts` pieces of work on some threads; a piece must not depend on who does it.
template <typename Work>
void share_out(int parts, int threads, Work work) {
    std::vector<std::thread> helpers;
    const int count = std::max(1, std::min(threads, parts));
    auto share = [&](int rank) {
        for (int part = rank; part < parts; part += count) work(part);
    };
    for (int rank = 1; rank < count; ++rank) helpers.emplace_back(share, rank);
    share(0);
    for (auto& helper : helpers) helper.join();
}
