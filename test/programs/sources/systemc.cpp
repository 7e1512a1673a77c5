// SystemC: threads with stacks of their own, a FIFO, a clock and a VCD; a line a hundred cycles. It ends when it was checkpointed.
#include <systemc.h>
#include <unistd.h>

SC_MODULE(Design) {
  sc_in<bool> clock;
  sc_fifo<unsigned> queue{4};
  sc_signal<unsigned> sum;
  unsigned count = 0;

  void produce() {
    for (unsigned n = 1;; n++) {
      unsigned local[64];
      for (unsigned i = 0; i < 64; i++) local[i] = n * 31 + i;
      wait();
      queue.write(local[n % 64]);
    }
  }
  void consume() {
    for (;;) {
      unsigned value = queue.read();
      sum.write(sum.read() * 33 + value);
      wait(3, SC_NS);
    }
  }
  void watch() {
    if (++count % 500 == 0) std::cout << "cycle " << count << " at " << sc_time_stamp() << ": " << sum.read() << std::endl;
  }
  SC_CTOR(Design) {
    SC_THREAD(produce);
    sensitive << clock.pos();
    SC_THREAD(consume);
    SC_METHOD(watch);
    sensitive << clock.pos();
    dont_initialize();
  }
};

int sc_main(int, char **) {
  sc_clock clock("clock", 10, SC_NS);
  Design design("design");
  design.clock(clock);
  sc_trace_file *trace = sc_create_vcd_trace_file("trace");
  sc_trace(trace, design.sum, "sum");
  sc_trace(trace, clock, "clock");
  std::cout << "begun" << std::endl;
  sc_start(4, SC_MS);
  // The rest comes after the checkpoint.
  while (access("checkpointed", F_OK) != 0) usleep(2000);
  sc_start(200, SC_US);
  sc_close_vcd_trace_file(trace);
  std::cout << "end " << design.sum.read() << std::endl;
  return 0;
}
