// Computes the signature that the program prints for given parameters, without simulating the SoC: the CRC bit by bit, the
// matrices by multiplication, the sorting by the library.
//
//   reference [+init=N] [+work=N] [+seed=N]    other arguments are ignored, so that a simulation's can be passed as they are
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

class Signature {
public:
    explicit Signature(uint32_t seed) : random_(seed) { stir(); }

    void initialise(uint32_t loop) {
        auto& block = memory_[loop % memory_.size()];
        for (auto& word : block)
            add(word = random());
        table_[loop % table_.size()] ^= crc_;
        stir();
    }

    void work(uint32_t loop) {
        const auto element = [&](uint32_t index) { return table_[(loop + index) % table_.size()] & 0xFFFF; };
        for (uint32_t index = 0; index < 16; index++) {
            uint32_t sum = 0;
            for (uint32_t k = 0; k < 4; k++)
                sum += element(index / 4 * 4 + k) * element(16 + 4 * k + index % 4);
            add(sum);
        }
        auto& block = memory_[loop % memory_.size()];
        std::sort(block.begin(), block.end());
        for (uint32_t word : block)
            add(word);
        stir();
        for (std::size_t i = 0; i < block.size(); i += 2)
            block[i] ^= random();
        table_[loop % table_.size()] += crc_;
    }

    uint32_t finish() {
        for (uint32_t word : table_)
            add(word);
        return ~crc_;
    }

private:
    void add(uint32_t word) {
        for (int bit = 0; bit < 32; bit++)
            crc_ = crc_ >> 1 ^ (((crc_ ^ word >> bit) & 1) ? 0xEDB88320u : 0);
    }

    uint32_t random() {
        for (int step = 0; step < 8; step++)
            random_ = random_ >> 1 ^ ((random_ & 1) ? 0x80200003u : 0);
        return random_;
    }

    void stir() { random_ = (random_ ^ crc_) ? random_ ^ crc_ : 1; }

    uint32_t random_;
    uint32_t crc_ = 0xFFFFFFFF;
    std::array<uint32_t, 256> table_{};
    std::array<std::array<uint32_t, 64>, 32> memory_{};
};

uint32_t parameter(const std::vector<std::string>& arguments, const std::string& name, uint32_t otherwise) {
    const std::string prefix = "+" + name + "=";
    for (const auto& argument : arguments)
        if (argument.compare(0, prefix.size(), prefix) == 0)
            return static_cast<uint32_t>(std::strtoul(argument.c_str() + prefix.size(), nullptr, 10));
    return otherwise;
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    const uint32_t init_loops = parameter(arguments, "init", INIT), work_loops = parameter(arguments, "work", WORK);
    Signature signature(parameter(arguments, "seed", 1));
    for (uint32_t loop = 0; loop < init_loops; loop++)
        signature.initialise(loop);
    for (uint32_t loop = 0; loop < work_loops; loop++)
        signature.work(loop);
    std::printf("signature: %08X\n", signature.finish());
}
