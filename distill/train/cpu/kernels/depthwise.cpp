// Gradients of a depthwise convolution, channels last, bf16 in and out, sums in float32; see ../depthwise.py.

#include <type_traits>

#include "bf16.h"

namespace {

struct Shape {
    int images, channels, in_rows, in_columns, out_rows, out_columns, stride, padding, threads;
};

// Columns whose taps all lie inside go through without a look at the edges: `inner` [from, to).
template <typename Work>
void columns(int count, int from, int to, Work work) {
    from = std::min(std::max(from, 0), count);
    to = std::max(std::min(to, count), from);
    for (int column = 0; column < from; ++column) work(column, std::true_type());
    for (int column = from; column < to; ++column) work(column, std::false_type());
    for (int column = to; column < count; ++column) work(column, std::true_type());
}

// Each image's own sum, so that the result does not depend on the number of threads. sums [side*side, channels].
template <int SIDE>
void weight_gradient(const Shape& s, const uint16_t* image, const uint16_t* gradient, float* sums) {
    const size_t wide = (size_t)s.in_columns * s.channels;
    for (int row = 0; row < s.out_rows; ++row)
        for (int y = 0; y < SIDE; ++y) {
            const int in_row = row * s.stride - s.padding + y;
            if (in_row < 0 || in_row >= s.in_rows) continue;
            for (int block = 0; block < s.channels; block += LANES) {
                const uint16_t* line = image + in_row * wide + block;
                const uint16_t* from = gradient + (size_t)row * s.out_columns * s.channels + block;
                float* into = sums + (size_t)y * SIDE * s.channels + block;
                Floats sum[SIDE];
                for (int x = 0; x < SIDE; ++x) std::memcpy(&sum[x], into + x * s.channels, sizeof(Floats));
                const int inner = (s.padding + s.stride - 1) / s.stride;
                const int end = (s.in_columns + s.padding - SIDE) / s.stride + 1;
                columns(s.out_columns, inner, end, [&](int column, auto edge) {
                    const Floats here = load(from + (size_t)column * s.channels);
                    const int left = column * s.stride - s.padding;
#pragma GCC unroll 5
                    for (int x = 0; x < SIDE; ++x)
                        if (!edge || (left + x >= 0 && left + x < s.in_columns))
                            sum[x] += here * load(line + (ptrdiff_t)(left + x) * s.channels);
                });
                for (int x = 0; x < SIDE; ++x) std::memcpy(into + x * s.channels, &sum[x], sizeof(Floats));
            }
        }
}

// The columns that differ from `phase` by a multiple of the stride. weight [side*side, channels].
template <int SIDE, int STRIDE, int PHASE>
void image_gradient(const Shape& s, const uint16_t* gradient, const float* weight, uint16_t* into) {
    constexpr int TAPS = (SIDE - PHASE + STRIDE - 1) / STRIDE;  // x = PHASE, PHASE + STRIDE ...
    const int first = ((PHASE - s.padding) % STRIDE + STRIDE) % STRIDE;
    const int count = (s.in_columns - first + STRIDE - 1) / STRIDE;
    const int shift = (first + s.padding - PHASE) / STRIDE;  // out column of tap PHASE = column + shift
    for (int row = 0; row < s.in_rows; ++row)
        for (int block = 0; block < s.channels; block += LANES) {
            const uint16_t* lines[SIDE];
            int rows[SIDE], known = 0;
            for (int y = 0; y < SIDE; ++y) {
                const int below = row + s.padding - y;
                if (below < 0 || below % STRIDE || below / STRIDE >= s.out_rows) continue;
                lines[known] = gradient + (size_t)(below / STRIDE) * s.out_columns * s.channels + block;
                rows[known++] = y;
            }
            uint16_t* to = into + ((size_t)row * s.in_columns + first) * s.channels + block;
            const float* from = weight + block;
            columns(count, TAPS - 1 - shift, s.out_columns - shift, [&](int column, auto edge) {
                Floats sum = {};
                for (int k = 0; k < known; ++k) {
                    const float* taps = from + (size_t)(rows[k] * SIDE + PHASE) * s.channels;
#pragma GCC unroll 5
                    for (int tap = 0; tap < TAPS; ++tap) {
                        const int out = column + shift - tap;
                        if (edge && (out < 0 || out >= s.out_columns)) continue;
                        Floats by;
                        std::memcpy(&by, taps + (size_t)tap * STRIDE * s.channels, sizeof by);
                        sum += by * load(lines[k] + (ptrdiff_t)out * s.channels);
                    }
                }
                store(to + (size_t)column * STRIDE * s.channels, sum);
            });
        }
}

template <int SIDE>
void image_gradient(const Shape& s, const uint16_t* gradient, const float* weight, uint16_t* into) {
    if (s.stride == 1) return image_gradient<SIDE, 1, 0>(s, gradient, weight, into);
    image_gradient<SIDE, 2, 0>(s, gradient, weight, into);
    image_gradient<SIDE, 2, 1>(s, gradient, weight, into);
}

template <int SIDE>
void gradients(const Shape& s, const uint16_t* image, const uint16_t* gradient, const float* weight,
               float* by_weight, uint16_t* by_image) {
    const size_t in = (size_t)s.in_rows * s.in_columns * s.channels;
    const size_t out = (size_t)s.out_rows * s.out_columns * s.channels;
    const size_t taps = (size_t)SIDE * SIDE * s.channels;
    std::vector<float> sums(by_weight ? s.images * taps : 0);
    share_out(s.images, s.threads, [&](int i) {
        if (by_weight) weight_gradient<SIDE>(s, image + i * in, gradient + i * out, sums.data() + i * taps);
        if (by_image) image_gradient<SIDE>(s, gradient + i * out, weight, by_image + i * in);
    });
    for (size_t i = 0; i < sums.size(); ++i) by_weight[i % taps] += sums[i];
}

}  // namespace

// by_weight float32 [side*side, channels], zeros before; by_image as image. Null: not wanted. Returns 0, or 1
// for a side, a stride or a number of channels that it does not know.
extern "C" int depthwise_gradients(const int* shape, int side, const uint16_t* image, const uint16_t* gradient,
                                   const float* weight, float* by_weight, uint16_t* by_image) {
    Shape s;
    std::memcpy(&s, shape, sizeof s);
    if (s.channels % LANES || s.stride < 1 || s.stride > 2) return 1;
    if (side == 3)
        gradients<3>(s, image, gradient, weight, by_weight, by_image);
    else if (side == 5)
        gradients<5>(s, image, gradient, weight, by_weight, by_image);
    else
        return 1;
    return 0;
}
