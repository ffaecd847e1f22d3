// BatchNorm in training and the ReLU after it in one, channels last, bf16 in and out; see ../norm.py.
//
// A row is as many pixels as fill whole vectors: one, or two where the channels are only a multiple of 8. Per-row values
// (scale, mean ...) are given once for every value of a row, so that nothing below knows of pixels.

#include "bf16.h"

namespace {

constexpr int PARTS = 64;  // of the rows; fixed, so that sums do not depend on the number of threads
constexpr int BLOCK = 4;   // vectors whose sums stay in registers

struct Rows {
    int64_t count;
    int32_t width, threads;  // width: values of a row, a multiple of LANES
};

template <int VECTORS, typename Work>
void block_rows(const Rows& rows, int64_t from, int64_t to, int at, Work work) {
    for (int64_t row = from; row < to; ++row)
#pragma GCC unroll 4
        for (int v = 0; v < VECTORS; ++v) work(v, row * rows.width + at + v * LANES);
}

// `start` is called before the rows of a block, `work` for each of its vectors, `end` after them.
template <typename Start, typename Work, typename End>
void blocks(const Rows& rows, int part, Start start, Work work, End end) {
    const int64_t from = rows.count * part / PARTS, to = rows.count * (part + 1) / PARTS;
    for (int at = 0; at < rows.width; at += BLOCK * LANES) {
        const int vectors = std::min(BLOCK, (rows.width - at) / LANES);
        for (int v = 0; v < vectors; ++v) start(v, at + v * LANES);
        if (vectors == 4) block_rows<4>(rows, from, to, at, work);
        else if (vectors == 3) block_rows<3>(rows, from, to, at, work);
        else if (vectors == 2) block_rows<2>(rows, from, to, at, work);
        else block_rows<1>(rows, from, to, at, work);
        for (int v = 0; v < vectors; ++v) end(v, at + v * LANES);
    }
}

void add_up(const Rows& rows, const std::vector<float>& sums, double* into) {  // [PARTS, 2, width] to [2, width]
    for (size_t i = 0; i < sums.size(); ++i) into[i % (2 * (size_t)rows.width)] += sums[i];
}

inline Floats all(float value) { return value - Floats{}; }

// The gradient where the ReLU lets it through: 0 < normalised < ceiling; everywhere without one (ceiling 0).
inline Floats passed(Floats gradient, Floats normalised, float ceiling) {
    if (ceiling == 0) return gradient;
    const Ints open = (normalised > all(0)) & (normalised < all(ceiling));
    Ints bits;
    std::memcpy(&bits, &gradient, sizeof bits);
    bits &= open;
    std::memcpy(&gradient, &bits, sizeof bits);
    return gradient;
}

}  // namespace

// Sums over the rows of x - pivot and of its square, into double [2, width], zeros before.
extern "C" void norm_sums(const int64_t* shape, const uint16_t* x, const float* pivot, double* sums) {
    const Rows rows{shape[0], (int32_t)shape[1], (int32_t)shape[2]};
    std::vector<float> parts((size_t)PARTS * 2 * rows.width);
    share_out(PARTS, rows.threads, [&](int part) {
        float* into = parts.data() + (size_t)part * 2 * rows.width;
        Floats zero[BLOCK], sum[BLOCK], square[BLOCK];
        blocks(
            rows, part,
            [&](int v, int at) { zero[v] = load(pivot + at), sum[v] = square[v] = Floats{}; },
            [&](int v, int64_t at) {
                const Floats away = load(x + at) - zero[v];
                sum[v] += away, square[v] += away * away;
            },
            [&](int v, int at) {
                std::memcpy(into + at, &sum[v], sizeof sum[v]);
                std::memcpy(into + rows.width + at, &square[v], sizeof square[v]);
            });
    });
    add_up(rows, parts, sums);
}

// y = x * scale + shift, between 0 and the ceiling unless that is 0.
extern "C" void norm_apply(const int64_t* shape, const uint16_t* x, const float* scale, const float* shift,
                           float ceiling, uint16_t* y) {
    const Rows rows{shape[0], (int32_t)shape[1], (int32_t)shape[2]};
    share_out(PARTS, rows.threads, [&](int part) {
        Floats by[BLOCK], plus[BLOCK];
        blocks(
            rows, part, [&](int v, int at) { by[v] = load(scale + at), plus[v] = load(shift + at); },
            [&](int v, int64_t at) {
                Floats said = load(x + at) * by[v] + plus[v];
                if (ceiling != 0) {  // written so that what is no number stays so
                    said = said < all(0) ? all(0) : said;
                    said = said > all(ceiling) ? all(ceiling) : said;
                }
                store(y + at, said);
            },
            [](int, int) {});
    });
}

// Sums over the rows of the gradient that came through the ReLU and of that times x - mean, double [2, width].
extern "C" void norm_gradient_sums(const int64_t* shape, const uint16_t* x, const uint16_t* gradient,
                                   const float* scale, const float* shift, const float* mean, float ceiling,
                                   double* sums) {
    const Rows rows{shape[0], (int32_t)shape[1], (int32_t)shape[2]};
    std::vector<float> parts((size_t)PARTS * 2 * rows.width);
    share_out(PARTS, rows.threads, [&](int part) {
        float* into = parts.data() + (size_t)part * 2 * rows.width;
        Floats by[BLOCK], plus[BLOCK], middle[BLOCK], sum[BLOCK], product[BLOCK];
        blocks(
            rows, part,
            [&](int v, int at) {
                by[v] = load(scale + at), plus[v] = load(shift + at), middle[v] = load(mean + at);
                sum[v] = product[v] = Floats{};
            },
            [&](int v, int64_t at) {
                const Floats here = load(x + at);
                const Floats came = passed(load(gradient + at), here * by[v] + plus[v], ceiling);
                sum[v] += came, product[v] += came * (here - middle[v]);
            },
            [&](int v, int at) {
                std::memcpy(into + at, &sum[v], sizeof sum[v]);
                std::memcpy(into + rows.width + at, &product[v], sizeof product[v]);
            });
    });
    add_up(rows, parts, sums);
}

// by_x = scale * (gradient that came through) + slope * x + offset.
extern "C" void norm_gradient(const int64_t* shape, const uint16_t* x, const uint16_t* gradient,
                              const float* scale, const float* shift, const float* slope, const float* offset,
                              float ceiling, uint16_t* by_x) {
    const Rows rows{shape[0], (int32_t)shape[1], (int32_t)shape[2]};
    share_out(PARTS, rows.threads, [&](int part) {
        Floats by[BLOCK], plus[BLOCK], times[BLOCK], more[BLOCK];
        blocks(
            rows, part,
            [&](int v, int at) {
                by[v] = load(scale + at), plus[v] = load(shift + at);
                times[v] = load(slope + at), more[v] = load(offset + at);
            },
            [&](int v, int64_t at) {
                const Floats here = load(x + at);
                const Floats came = passed(load(gradient + at), here * by[v] + plus[v], ceiling);
                store(by_x + at, came * by[v] + here * times[v] + more[v]);
            },
            [](int, int) {});
    });
}
