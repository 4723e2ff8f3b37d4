"""One measurement of Python's multiprocessing: prints a number in the unit
that the Go side uses for it. Run as: parallel.py NAME"""

import multiprocessing as mp
import os
import sys
import time


def nothing():
    pass


def square(x):
    return x * x


def spell(word):
    return word + "!"


def work(n):
    x = 1
    for i in range(n):
        x = (x * 1103515245 + 12345) & 0x7FFFFFFF
    return x


def start(method):
    ctx = mp.get_context(method)
    n = 10
    if method == "forkserver":
        first = ctx.Process(target=nothing)
        first.start()
        first.join()
    begin = time.perf_counter()
    for _ in range(n):
        p = ctx.Process(target=nothing)
        p.start()
        p.join()
    return (time.perf_counter() - begin) / n * 1e3


def tiny(fn, items):
    with mp.get_context("fork").Pool(2) as pool:
        pool.map(square, range(4))
        begin = time.perf_counter()
        n = sum(1 for _ in pool.imap_unordered(fn, items, chunksize=1))
        return n / (time.perf_counter() - begin)


def bulk():
    n = 1_000_000
    xs = list(range(n))
    with mp.get_context("fork").Pool(2) as pool:
        pool.map(square, range(4))
        begin = time.perf_counter()
        pool.map(square, xs)
        return n / (time.perf_counter() - begin)


def echo(conn):
    while True:
        v = conn.recv()
        if v is None:
            return
        conn.send(v)


def pipe():
    mine, its = mp.Pipe()
    p = mp.get_context("fork").Process(target=echo, args=(its,))
    p.start()
    n = 3000
    for i in range(100):
        mine.send(i)
        mine.recv()
    begin = time.perf_counter()
    for i in range(n):
        mine.send(i)
        mine.recv()
    took = time.perf_counter() - begin
    mine.send(None)
    p.join()
    return took / n * 1e6


def put(queue, n, size):
    value = 7 if size == 0 else bytes(size)
    for _ in range(n):
        queue.put(value)


def queue(n, size):
    ctx = mp.get_context("fork")
    q = ctx.Queue()
    p = ctx.Process(target=put, args=(q, n, size))
    p.start()
    q.get()
    begin = time.perf_counter()
    for _ in range(n - 1):
        q.get()
    took = time.perf_counter() - begin
    p.join()
    return (n - 1) / took


def count(value, n):
    lock = value.get_lock()
    for _ in range(n):
        with lock:
            value.value += 1


def counter():
    ctx = mp.get_context("fork")
    n = 100_000
    value = ctx.Value("q", 0)
    ps = [ctx.Process(target=count, args=(value, n)) for _ in range(2)]
    begin = time.perf_counter()
    for p in ps:
        p.start()
    for p in ps:
        p.join()
    assert value.value == 2 * n
    return 2 * n / (time.perf_counter() - begin)


def cpu():
    sizes = [600_000] * 16
    begin = time.perf_counter()
    for s in sizes:
        work(s)
    alone = time.perf_counter() - begin
    with mp.get_context("fork").Pool(2) as pool:
        pool.map(work, [1000] * 4)
        begin = time.perf_counter()
        pool.map(work, sizes, chunksize=1)
        return alone / (time.perf_counter() - begin)


def timed_work(n):
    begin = time.process_time()
    work(n)
    return os.getpid(), time.process_time() - begin


def cpu_time():
    sizes = [600_000] * 16
    begin = time.process_time()
    for s in sizes:
        work(s)
    alone = time.process_time() - begin
    sums = {}
    with mp.get_context("fork").Pool(2) as pool:
        for pid, seconds in pool.map(timed_work, sizes, chunksize=1):
            sums[pid] = sums.get(pid, 0) + seconds
    return alone / max(sums.values())


MEASURES = {
    "start-spawn": lambda: start("spawn"),
    "start-fork": lambda: start("fork"),
    "start-forkserver": lambda: start("forkserver"),
    "tiny": lambda: tiny(square, range(20_000)),
    "tiny-text": lambda: tiny(spell, ["word"] * 20_000),
    "bulk": bulk,
    "pipe": pipe,
    "queue": lambda: queue(50_000, 0),
    "queue-1MB": lambda: queue(200, 1 << 20),
    "counter": counter,
    "cpu": cpu,
    "cpu-time": cpu_time,
}

if __name__ == "__main__":
    print(MEASURES[sys.argv[1]]())
