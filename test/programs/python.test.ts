/** Debian's Python 3: processes, threads and asynchronous programs by its standard library. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { programTest, sorted } from './program-under-cairn.js';

const python = '/usr/bin/python3';
const needs = [python];
const command = (folder: string): string[] => [python, '-u', join(folder, 'program.py')];
const write =
  (text: string) =>
  (folder: string): void => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'program.py'), text);
  };

programTest({
  name: 'Python: asyncio with subprocesses, TCP and signals',
  command,
  needs,
  prepare: write(`
import asyncio, os, signal, sys

async def serve(reader, writer):
    while line := await reader.readline():
        await asyncio.sleep(0.005)
        writer.write(line.upper())
        await writer.drain()
    writer.close()

async def client(port, name):
    reader, writer = await asyncio.open_connection('127.0.0.1', port)
    for n in range(10):
        writer.write(f'{name} {n}\\n'.encode())
        print((await reader.readline()).decode().strip())
    writer.close()
    await writer.wait_closed()

async def child(n):
    process = await asyncio.create_subprocess_exec(sys.executable, '-c',
        'import sys, time\\nfor line in sys.stdin: time.sleep(0.02); print("child", int(line) * 2, flush=True)',
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
    for i in range(5):
        process.stdin.write(f'{n + i}\\n'.encode())
        print((await process.stdout.readline()).decode().strip())
    process.stdin.close()
    print('status', await process.wait())

async def main():
    print('begun')
    got = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, got.set)
    server = await asyncio.start_server(serve, '127.0.0.1', 0)
    port = server.sockets[0].getsockname()[1]
    asyncio.get_running_loop().call_later(0.4, os.kill, os.getpid(), signal.SIGUSR1)
    await asyncio.gather(client(port, 'a'), client(port, 'b'), child(10), child(20))
    await asyncio.wait_for(got.wait(), 20)
    text = await asyncio.to_thread(lambda: 'from a thread')
    print('signal,', text)
    while not os.path.exists('checkpointed'): await asyncio.sleep(0.02)
    server.close()

asyncio.run(main())
`),
  begun: /^begun$/,
  waits: true,
  normal: sorted,
});

programTest({
  name: 'Python: threads, selectors, mmap, ctypes, sqlite3, large arrays, futures',
  command,
  needs,
  prepare: write(`
import array, concurrent.futures, ctypes, hashlib, mmap, os, queue, selectors, signal, socket, sqlite3, threading, time

print('begun')
ticks = 0
def tick(*_):
    global ticks
    ticks += 1
signal.signal(signal.SIGALRM, tick)
signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)

big = array.array('d', range(1000000))
file = open('data', 'w+b')
file.truncate(1 << 20)
mapped = mmap.mmap(file.fileno(), 1 << 20)
libc = ctypes.CDLL(None, use_errno=True)
compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
order = compare(lambda a, b: a[0] - b[0])
base = sqlite3.connect('base.db')
base.execute('create table t (n integer, square integer)')
base.commit()

jobs, answers = queue.Queue(), queue.Queue()
def worker():
    while (n := jobs.get()) is not None:
        answers.put((n, hashlib.sha256(str(n).encode() * 5000).hexdigest()[:12]))
threads = [threading.Thread(target=worker) for _ in range(3)]
for thread in threads: thread.start()

left, right = socket.socketpair()
selector = selectors.DefaultSelector()
selector.register(right, selectors.EVENT_READ)
local = threading.local()
local.value = 17

with concurrent.futures.ProcessPoolExecutor(2) as processes, concurrent.futures.ThreadPoolExecutor(2) as pool:
    for n in range(25):
        jobs.put(n)
        future = processes.submit(pow, n + 2, 20, 1000007)
        slow = pool.submit(time.sleep, 0.01)
        big[n * 1000] += n
        mapped[n * 4096:n * 4096 + 8] = b'%08d' % n
        values = (ctypes.c_int * 5)(5 + n, 3, 9, 1, 7)
        libc.qsort(values, 5, ctypes.sizeof(ctypes.c_int), order)
        base.execute('insert into t values (?, ?)', (n, n * n))
        left.send(b'message %d' % n)
        key, _ = selector.select(timeout=20)[0]
        name, digest = answers.get(timeout=20)
        slow.result(timeout=20)
        print(name, digest, future.result(timeout=20), list(values), key.fileobj.recv(100).decode(), local.value)
for _ in threads: jobs.put(None)
for thread in threads: thread.join()
base.commit()
print('rows', base.execute('select count(*), sum(square) from t').fetchall())
signal.setitimer(signal.ITIMER_REAL, 0)
print('sum', sum(big), hashlib.sha256(mapped).hexdigest()[:16], ticks > 5)
while not os.path.exists('checkpointed'): time.sleep(0.02)
mapped.flush()
`),
  begun: /^begun$/,
  waits: true,
  result: (find) => readFileSync(find('data')).toString('latin1', 0, 8 + 24 * 4096),
});

programTest({
  name: 'Python: multiprocessing with a pool, a queue, locks, an array, shared memory by name and a manager',
  // Restarted twice at once: the sockets of what is below the working folder are each run's own.
  command: (folder) => ['sh', '-c', `mkdir tmp; TMPDIR=$PWD/tmp exec ${command(folder).join(' ')}`],
  needs,
  prepare: write(`
import multiprocessing as mp, os, random, time
from multiprocessing import shared_memory

def square(n):
    time.sleep(0.003)
    return n * n

def produce(queue, lock, total, array, name, first):
    memory = shared_memory.SharedMemory(name)
    for n in range(first, first + 30):
        with lock:
            total.value += n
            array[n % len(array)] += n
            memory.buf[n] = (memory.buf[n] + n) % 251
        queue.put((n, "x" * (n * 500)))
        time.sleep(0.005)
    memory.close()

def turns(mine, other, pipe, rounds):
    for n in range(rounds):
        mine.acquire()
        pipe.send(n)
        other.release()
    pipe.close()

def main():
    print("begun")
    lock, total, array = mp.Lock(), mp.Value("q", 0), mp.Array("q", 7)
    queue = mp.Queue()
    memory = shared_memory.SharedMemory(create=True, size=100000)
    producers = [mp.Process(target=produce, args=(queue, lock, total, array, memory.name, 30 * n)) for n in range(2)]
    for process in producers: process.start()
    ends, other = mp.Pipe(False)
    here, there = mp.Semaphore(0), mp.Semaphore(0)
    player = mp.Process(target=turns, args=(here, there, other, 40))
    player.start()
    other.close()
    with mp.Manager() as manager, mp.Pool(2) as pool:
        shared = manager.dict()
        got = []
        for turn in range(40):
            here.release()
            there.acquire()
            shared[turn] = ends.recv()
            squares = pool.map_async(square, range(turn, turn + 4))
            if turn % 4 != 0:
                for _ in range(2): got.append(queue.get(timeout=30))
            print("turn", turn, shared[turn], squares.get(30), flush=True)
        for process in producers + [player]: process.join(30)
        print([process.exitcode for process in producers + [player]], total.value, list(array), sorted(n for n, _ in got), all(len(x) == n * 500 for n, x in got))
        again = shared_memory.SharedMemory(memory.name)
        print("memory", sum(again.buf[:60]), again.name == memory.name, sum(shared.values()))
        again.close()
        while not os.path.exists("checkpointed"): time.sleep(0.02)
        print("pool", pool.map(square, range(5)), len(shared))
    memory.close()
    memory.unlink()
    print("there", os.path.exists("/dev/shm/" + memory.name.strip("/")))

if __name__ == "__main__":
    main()
`),
  begun: /^begun$/,
  waits: true,
  later: true,
});
