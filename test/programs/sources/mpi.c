/* MPI: a ring, a reduction over all, large messages, one-sided access; the first rank prints a line a round. It ends when it was checkpointed. */
#include <mpi.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv) {
  int rank, size, rounds = argc > 1 ? atoi(argv[1]) : 20;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  if (rank == 0) printf("begun with %d\n", size), fflush(stdout);
  enum { large = 100000 };
  uint32_t *out = malloc(large * sizeof *out), *in = malloc(large * sizeof *in), *shared;
  MPI_Win window;
  MPI_Win_allocate(size * sizeof *shared, sizeof *shared, MPI_INFO_NULL, MPI_COMM_WORLD, &shared, &window);
  for (int i = 0; i < size; i++) shared[i] = 0;
  MPI_Barrier(MPI_COMM_WORLD);
  uint64_t checksum = rank + 1;
  for (int round = 0; round < rounds; round++) {
    uint64_t token = checksum, sum = 0;
    for (int step = 0; step < size; step++)
      MPI_Sendrecv_replace(&token, 1, MPI_UINT64_T, (rank + 1) % size, 1, (rank + size - 1) % size, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE),
          token = token * 31 + rank;
    MPI_Allreduce(&token, &sum, 1, MPI_UINT64_T, MPI_SUM, MPI_COMM_WORLD);
    for (int i = 0; i < large; i++) out[i] = (uint32_t)(sum + i * (rank + 1));
    MPI_Request requests[2];
    MPI_Irecv(in, large, MPI_UINT32_T, (rank + size - 1) % size, 2, MPI_COMM_WORLD, &requests[0]);
    MPI_Isend(out, large, MPI_UINT32_T, (rank + 1) % size, 2, MPI_COMM_WORLD, &requests[1]);
    MPI_Waitall(2, requests, MPI_STATUSES_IGNORE);
    uint32_t part = 0;
    for (int i = 0; i < large; i++) part = part * 17 + in[i];
    MPI_Win_fence(0, window);
    MPI_Put(&part, 1, MPI_UINT32_T, (rank + 1) % size, rank, 1, MPI_UINT32_T, window);
    MPI_Win_fence(0, window);
    checksum = (checksum ^ checksum >> 29) * 6364136223846793005u + sum + shared[(rank + size - 1) % size] + round;
    uint64_t all = 0;
    MPI_Reduce(&checksum, &all, 1, MPI_UINT64_T, MPI_SUM, 0, MPI_COMM_WORLD);
    if (rank == 0) printf("round %d: %llu\n", round, (unsigned long long)all), fflush(stdout);
  }
  // The others wait for the first one.
  while (rank == 0 && access("checkpointed", F_OK) != 0) usleep(2000);
  MPI_Win_free(&window);
  MPI_Finalize();
  if (rank == 0) puts("end");
  return 0;
}
