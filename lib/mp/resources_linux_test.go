package mp_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/mp"
)

// TestDroppedQueuesFreeTheirDescriptors checks that unreachable queues free their
// descriptors when no descriptor is left.
func TestDroppedQueuesFreeTheirDescriptors(t *testing.T) {
	limitFiles(t, 64)
	for i := range 500 {
		q := made(mp.NewQueue[int](mp.Processes, 0))
		if err := q.Put(watchdog(t), i); err != nil {
			t.Fatal(err)
		}
		q.Close()
	}
}

// limitFiles sets the limit of open files to the number that is open now plus more.
func limitFiles(t *testing.T, more int) {
	t.Helper()
	runtime.GC()
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
	now := old
	now.Cur = uint64(openFiles(t) + more)
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &now); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &old); err != nil {
			t.Error(err)
		}
	})
}

func openFiles(t *testing.T) int {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(files)
}

// TestSmallObjectsShareDescriptors checks that many small objects take few descriptors,
// because they share segments.
func TestSmallObjectsShareDescriptors(t *testing.T) {
	before := openFiles(t)
	var kept []any
	for range 3000 {
		kept = append(kept, made(mp.NewMutex(mp.Processes)), made(mp.NewValue(mp.Processes, 1)))
	}
	if n := openFiles(t) - before; n > 20 {
		t.Errorf("%d objects take %d descriptors", len(kept), n)
	}
	runtime.KeepAlive(kept)
}

// TestSlotsAreUsedAgain checks that slots are reused, with a new generation.
func TestSlotsAreUsedAgain(t *testing.T) {
	stale, err := made(mp.NewMutex(mp.Processes)).GobEncode()
	if err != nil {
		t.Fatal(err)
	}
	before := openFiles(t)
	for range 20_000 {
		m := made(mp.NewMutex(mp.Processes))
		m.Lock()
		//lint:ignore SA2001 the mutex is to have been used
		m.Unlock()
		m.Close()
	}
	if n := openFiles(t) - before; n > 10 {
		t.Errorf("%d descriptors more", n)
	}
	if err := new(mp.Mutex).GobDecode(stale); !errors.Is(err, mp.ErrClosed) {
		t.Errorf("a stale handle: %v", err)
	}
}

// TestSegmentsAreGivenUp checks that the segments of many small objects are closed when
// the objects are unreachable.
func TestSegmentsAreGivenUp(t *testing.T) {
	before := openFiles(t)
	for range 20 { // other tests have dropped objects
		runtime.GC()
		time.Sleep(time.Millisecond)
		before = min(before, openFiles(t))
	}
	var kept []*mp.Mutex
	for range 5000 {
		kept = append(kept, made(mp.NewMutex(mp.Processes)))
	}
	many := openFiles(t)
	if many < before+3 {
		t.Fatalf("%d objects take %d descriptors: too few for this test", len(kept), many-before)
	}
	handle, err := kept[len(kept)-1].GobEncode()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range kept {
		m.Close()
	}
	kept = nil
	for ctx := watchdog(t); openFiles(t) > before+1; time.Sleep(time.Millisecond) {
		if runtime.GC(); ctx.Err() != nil {
			t.Fatalf("%d of %d descriptors are left", openFiles(t)-before, many-before)
		}
	}
	if err := new(mp.Mutex).GobDecode(handle); !errors.Is(err, mp.ErrClosed) {
		t.Errorf("a stale handle: %v", err)
	}
}

// TestPipesTakeFewAddresses checks that a Pipe takes little address space before it
// holds much data.
func TestPipesTakeFewAddresses(t *testing.T) {
	before := addresses(t)
	var kept []any
	for range 10 {
		a, b, err := mp.NewPipe[int](mp.Processes)
		if err != nil {
			t.Fatal(err)
		}
		kept = append(kept, a, b)
	}
	if grown := addresses(t) - before; grown > 10*64<<20 {
		t.Errorf("10 pipes take %d MiB of addresses", grown>>20)
	}
	runtime.KeepAlive(kept)
}

// addresses returns the size of the address space that is in use.
func addresses(t *testing.T) int {
	t.Helper()
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	var pages int
	if _, err := fmt.Sscan(string(b), &pages); err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}

func threads(t *testing.T) int {
	t.Helper()
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	return len(tasks)
}

const manyWaiters = 10_000

// TestManyWaitersOfOneObject checks that ten thousand waiters of one object do not take
// a thread each, and that all wake.
func TestManyWaitersOfOneObject(t *testing.T) {
	before := threads(t)
	e := made(mp.NewEvent(mp.Processes))
	var all sync.WaitGroup
	for range manyWaiters {
		all.Go(func() {
			if err := e.Wait(watchdog(t)); err != nil {
				t.Error(err)
			}
		})
	}
	checkThreads(t, before)
	p := made(mp.Start(watchdog(t), mp.Processes, func(e *mp.Event) { e.Set() }, e))
	all.Wait()
	endsWith(t, p, nil, "", 0)
}

// checkThreads waits until the waiters sleep, and checks the number of threads.
func checkThreads(t *testing.T, before int) {
	t.Helper()
	time.Sleep(300 * time.Millisecond)
	if n := threads(t); n > before+2*runtime.NumCPU()+10 {
		t.Errorf("%d threads, %d before", n, before)
	}
}

type gates struct {
	Gates []*mp.Semaphore
}

func openAll(g gates) {
	for _, s := range g.Gates {
		s.Release()
	}
}

// TestManyWaitersOfManyObjects is TestManyWaitersOfOneObject with an object for each
// waiter.
func TestManyWaitersOfManyObjects(t *testing.T) {
	before := threads(t)
	g := gates{make([]*mp.Semaphore, manyWaiters)}
	var all sync.WaitGroup
	for i := range g.Gates {
		g.Gates[i] = made(mp.NewSemaphore(mp.Processes, 0))
		all.Go(func() {
			if err := g.Gates[i].Acquire(watchdog(t)); err != nil {
				t.Error(err)
			}
		})
	}
	checkThreads(t, before)
	p := made(mp.Start(watchdog(t), mp.Processes, openAll, g))
	all.Wait()
	endsWith(t, p, nil, "", 0)
}

type contested struct {
	Mutex *mp.Mutex
	Turns *mp.Array[int]
	Ready *mp.Event
}

func holdUntilKilled(c contested) {
	c.Mutex.Lock()
	c.Ready.Set()
	select {}
}

// TestManyWaitersOfADeadOwner checks that many goroutines of several processes get a
// mutex whose owner is killed.
func TestManyWaitersOfADeadOwner(t *testing.T) {
	c := contested{made(mp.NewMutex(mp.Processes)), made(mp.NewArray[int](mp.Processes, 1)), made(mp.NewEvent(mp.Processes))}
	owner := made(mp.Start(t.Context(), mp.Processes, holdUntilKilled, c))
	if err := c.Ready.Wait(watchdog(t)); err != nil {
		t.Fatal(err)
	}
	const each = 200
	many := func(c contested) error {
		var all sync.WaitGroup
		var failed error
		for range each {
			all.Go(func() {
				c.Mutex.Lock()
				defer c.Mutex.Unlock()
				c.Turns.Slice()[0]++
			})
		}
		all.Wait()
		return failed
	}
	var procs []*mp.Process
	for range 3 {
		procs = append(procs, made(mp.Start(watchdog(t), mp.Processes, func(c contested) error {
			var all sync.WaitGroup
			for range each {
				all.Go(func() {
					c.Mutex.Lock()
					defer c.Mutex.Unlock()
					c.Turns.Slice()[0]++
				})
			}
			all.Wait()
			return nil
		}, c)))
	}
	time.AfterFunc(50*time.Millisecond, func() { _ = owner.Kill() })
	if err := many(c); err != nil {
		t.Error(err)
	}
	for _, p := range procs {
		endsWith(t, p, nil, "", 0)
	}
	if n := c.Turns.Slice()[0]; n != 4*each || c.Mutex.Recovered() != 1 {
		t.Errorf("%d turns, want %d; recovered %d times", n, 4*each, c.Mutex.Recovered())
	}
}

func waitsClosed(t *testing.T, what string, err error) {
	t.Helper()
	if !errors.Is(err, mp.ErrClosed) {
		t.Errorf("%s: got %v, want ErrClosed", what, err)
	}
}

// TestCloseEndsWaits checks that Close ends every wait.
func TestCloseEndsWaits(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		m, rw, r := made(mp.NewMutex(b)), made(mp.NewRWMutex(b)), made(mp.NewReentrantMutex(b))
		e, s, c := made(mp.NewEvent(b)), made(mp.NewSemaphore(b, 0)), made(mp.NewCond(b))
		g, gate := made(mp.NewWaitGroup(b)), made(mp.NewBarrier(b, 2))
		rw.Lock()
		g.Add(1)
		ctx := watchdog(t)
		var all sync.WaitGroup
		all.Go(func() { waitsClosed(t, "Event", e.Wait(ctx)) })
		all.Go(func() { waitsClosed(t, "Semaphore", s.Acquire(ctx)) })
		all.Go(func() { waitsClosed(t, "WaitGroup", g.WaitContext(ctx)) })
		all.Go(func() { waitsClosed(t, "RWMutex", rw.RLockContext(ctx)) })
		all.Go(func() {
			_, err := gate.Wait(ctx)
			waitsClosed(t, "Barrier", err)
		})
		all.Go(func() {
			c.L.Lock()
			waitsClosed(t, "Cond", c.WaitContext(ctx))
		})
		time.Sleep(20 * time.Millisecond)
		for _, x := range []interface{ Close() }{m, rw, r, e, s, c, g, gate} {
			x.Close()
		}
		all.Wait()
		waitsClosed(t, "Mutex", m.LockContext(ctx))
		waitsClosed(t, "ReentrantMutex", r.LockContext(ctx))
		defer func() {
			if err, ok := recover().(error); !ok || !errors.Is(err, mp.ErrClosed) {
				t.Errorf("Lock of a closed Mutex: %v", err)
			}
		}()
		m.Lock()
	})
}

func waitForEver(e *mp.Event) { _ = e.Wait(context.Background()) }

// TestWaitsEndWhenNobodyIsLeft checks that a wait fails if only dead processes could
// end it.
func TestWaitsEndWhenNobodyIsLeft(t *testing.T) {
	e := made(mp.NewEvent(mp.Processes))
	p := made(mp.Start(t.Context(), mp.Processes, waitForEver, e))
	time.AfterFunc(50*time.Millisecond, func() { _ = p.Kill() })
	if err := e.Wait(watchdog(t)); !errors.Is(err, mp.ErrPeerDied) {
		t.Errorf("Event: %v", err)
	}
	short, cancel := context.WithTimeout(watchdog(t), 200*time.Millisecond)
	defer cancel()
	if err := e.Wait(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the second wait: %v", err)
	}
	if !strings.Contains(fmt.Sprint(mp.ErrPeerDied), "dead") {
		t.Error(mp.ErrPeerDied)
	}
}
