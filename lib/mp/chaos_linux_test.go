package mp_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/mp"
	"github.com/perijove/perijove/lib/mp/internal/protocol"
)

var chaosTime = flag.Duration("chaos", 2*time.Second, "how long TestChaos kills, stops and starves processes")

// quiet discards the output of crashes.
var quiet = mp.Stderr(io.Discard)

// chaoticWork has the functions that TestChaos runs concurrently.
var chaoticWork = []func(*testing.T, time.Time){
	mapInChaos, queueInChaos, mutexInChaos, callsInChaos, pipeInChaos, rwMutexInChaos, barrierInChaos, parentInChaos,
}

// TestChaos uses pools, queues, pipes, locks and barriers while processes are killed
// and stopped, close their own descriptors and run out of memory. No value may be lost
// or wrong, nothing may hang, and no resource may leak.
func TestChaos(t *testing.T) {
	inventory := takeInventory(t)
	end := time.Now().Add(*chaosTime)
	var users, wreckers sync.WaitGroup
	stop := make(chan struct{})
	wreckers.Go(func() { wreck(t, stop) })
	for _, work := range chaoticWork {
		users.Go(func() { work(t, end) })
	}
	users.Wait()
	close(stop)
	wreckers.Wait()
	inventory.check(t)
}

// wreck kills and stops children at random.
func wreck(t *testing.T, stop chan struct{}) {
	for {
		select {
		case <-stop:
			return
		case <-time.After(time.Duration(rand.IntN(20)) * time.Millisecond):
		}
		list := children(t)
		if len(list) == 0 {
			continue
		}
		pid := list[rand.IntN(len(list))]
		if rand.IntN(4) == 0 {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		} else if hasExecuted(pid) && syscall.Kill(pid, syscall.SIGSTOP) == nil {
			time.Sleep(time.Duration(rand.IntN(10)) * time.Millisecond)
			_ = syscall.Kill(pid, syscall.SIGCONT)
		}
	}
}

// hasExecuted reports whether a child process has replaced the memory of this process by its own. Before
// that, vfork blocks the thread that starts the child. If wreck stopped the child then, and a garbage
// collection waited for that thread, the goroutine of wreck could not continue the child.
func hasExecuted(pid int) bool {
	environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	return err == nil && strings.Contains(string(environ), protocol.Marker+"=")
}

// accident sometimes closes this process's descriptors or limits its memory, depending
// on x.
func accident(x int) {
	switch rand.IntN(400) {
	case 0:
		for fd := 3; fd < 12; fd++ {
			if rand.IntN(2) == 0 {
				_ = syscall.Close(fd)
			}
		}
	case 1:
		const asLimit = 9 // RLIMIT_AS
		_ = syscall.Setrlimit(asLimit, &syscall.Rlimit{Cur: 1, Max: 1})
		for range 1 << 10 {
			hoard = append(hoard, make([]byte, 1<<20))
		}
	case 2:
		time.Sleep(time.Duration(x%7) * time.Millisecond)
	}
}

var hoard [][]byte

type numbered struct {
	N    int
	Text string
	Any  any
}

func (n numbered) check(want int) error {
	if n.N != want*want || n.Text != fmt.Sprint(want) || n.Any != any(point{float64(want), 1}) {
		return fmt.Errorf("the result for %d is %+v", want, n)
	}
	return nil
}

func inChaos(x int) (numbered, error) {
	accident(x)
	if x%50 == 13 {
		return numbered{}, errSentinel
	}
	return numbered{x * x, fmt.Sprint(x), point{float64(x), 1}}, nil
}

// isDeath reports whether an error says that a process ended.
func isDeath(err error) bool {
	_, exit := errors.AsType[*mp.ExitError](err)
	return exit || errors.Is(err, mp.ErrBroken)
}

// mapInChaos sends tasks to a pool. The outcome of each task must be its result, its
// own error, or the death of a process.
func mapInChaos(t *testing.T, end time.Time) {
	for time.Now().Before(end) {
		p, err := mp.NewPool(mp.Processes, mp.Workers(3), mp.Retries(3), quiet)
		if err != nil {
			t.Error(err)
			return
		}
		for range 20 {
			first := rand.IntN(1000)
			xs := make([]int, 100)
			for i := range xs {
				xs[i] = first + i
			}
			i := 0
			for y, err := range mp.Stream[numbered](watchdog(t), p, inChaos, slices.Values(xs)) {
				if x := xs[min(i, len(xs)-1)]; err == nil {
					err = y.check(x)
				} else if isDeath(err) || errors.Is(err, errSentinel) && x%50 == 13 {
					err = nil
				}
				if err != nil {
					t.Errorf("task %d: %v", i, err)
				}
				i++
			}
			if i != len(xs) {
				t.Errorf("%d outcomes of %d tasks", i, len(xs))
			}
		}
		p.Close()
	}
}

// callsInChaos starts single processes.
func callsInChaos(t *testing.T, end time.Time) {
	for x := 0; time.Now().Before(end); x++ {
		y, err := result(mp.Go[numbered](watchdog(t), mp.Processes, inChaos, x, quiet))
		if err == nil {
			err = y.check(x)
		} else if isDeath(err) || errors.Is(err, errSentinel) && x%50 == 13 {
			err = nil
		}
		if err != nil {
			t.Errorf("call %d: %v", x, err)
		}
	}
}

type producing struct {
	Queue *mp.Queue[numbered]
	Put   *mp.Value[int64] // number of Puts that have returned nil
	Limit int
}

// produceInOrder puts numbers in order and counts those that were accepted.
func produceInOrder(ctx context.Context, p producing) error {
	for n := range p.Limit {
		accident(n)
		if err := p.Queue.Put(ctx, numbered{n * n, fmt.Sprint(n), point{float64(n), 1}}); err != nil {
			return err
		}
		p.Put.Store(int64(n + 1))
	}
	return nil
}

// queueInChaos checks that it gets every value whose Put in a child returned nil, in
// order and once.
func queueInChaos(t *testing.T, end time.Time) {
	for time.Now().Before(end) {
		p := producing{made(mp.NewQueue[numbered](mp.Processes, rand.IntN(20))), made(mp.NewValue(mp.Processes, int64(0))), 500}
		proc, err := mp.Start(watchdog(t), mp.Processes, produceInOrder, p, quiet)
		if err != nil {
			t.Error(err)
			return
		}
		got := 0
		take := func(v numbered) {
			if err := v.check(got); err != nil {
				t.Errorf("value %d of the queue: %v", got, err)
			}
			got++
		}
		for proc.Alive() {
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Millisecond)
			v, err := p.Queue.Get(ctx)
			if cancel(); err == nil {
				take(v)
			}
		}
		for v, ok, err := p.Queue.TryGet(); ok && err == nil; v, ok, err = p.Queue.TryGet() {
			take(v)
		}
		if err := proc.Join(watchdog(t)); err != nil && !isDeath(err) {
			t.Errorf("the producer: %v", err)
		}
		if put := int(p.Put.Load()); got < put || got > put+1 {
			t.Errorf("%d values were put and %d got", put, got)
		}
		p.Queue.Close()
		p.Put.Close()
	}
}

type guardedTurns struct {
	Mutex  *mp.Mutex
	Inside *mp.Value[int64] // id of the process that holds the mutex
	Rounds int
}

// turnsInChaos takes the mutex again and again, and fails if another living process
// holds it, too.
func turnsInChaos(ctx context.Context, g guardedTurns) error {
	self := int64(os.Getpid())
	for n := range g.Rounds {
		accident(n)
		if err := g.Mutex.LockContext(ctx); err != nil {
			return err
		}
		before := g.Inside.Load()
		if before != 0 && syscall.Kill(int(before), 0) == nil && !isZombie(int(before)) {
			return fmt.Errorf("%w: %d while %d holds it", errHeldTwice, self, before)
		}
		g.Inside.Store(self)
		if n%16 == 0 {
			runtime.Gosched()
		}
		g.Inside.Store(0)
		g.Mutex.Unlock()
	}
	return nil
}

var errHeldTwice = errors.New("the mutex is held twice")

func isZombie(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, state, _ := strings.Cut(string(b), ") ")
	return err != nil || strings.HasPrefix(state, "Z") || strings.HasPrefix(state, "X")
}

// mutexInChaos runs processes that take turns with a mutex. Some die while they hold
// it.
func mutexInChaos(t *testing.T, end time.Time) {
	for time.Now().Before(end) {
		g := guardedTurns{made(mp.NewMutex(mp.Processes)), made(mp.NewValue(mp.Processes, int64(0))), 500}
		var procs []*mp.Process
		for range 3 {
			p, err := mp.Start(watchdog(t), mp.Processes, turnsInChaos, g, quiet)
			if err != nil {
				t.Error(err)
				continue
			}
			procs = append(procs, p)
		}
		for _, p := range procs {
			if err := p.Join(watchdog(t)); err != nil && !isDeath(err) {
				t.Errorf("a turn: %v", err)
			}
		}
		if err := g.Mutex.LockContext(watchdog(t)); err != nil {
			t.Errorf("nobody has the mutex, and it cannot be taken: %v", err)
		} else {
			g.Mutex.Unlock()
		}
		g.Mutex.Close()
		g.Inside.Close()
	}
}

// An inventory counts the resources of this process.
type inventory struct{ files, goroutines, mappings int }

func takeInventory(t *testing.T) inventory {
	warmUp(t)
	return countHeld(t)
}

// warmUp creates what a process creates only once: pollers, threads, shared segments.
func warmUp(t *testing.T) {
	for _, work := range chaoticWork {
		work(t, time.Now().Add(time.Millisecond))
	}
}

func countHeld(t *testing.T) inventory {
	for range 3 {
		runtime.GC()
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	return inventory{openFiles(t), runtime.NumGoroutine(), strings.Count(string(maps), "memfd:")}
}

// check waits until this process has no more resources than before.
func (before inventory) check(t *testing.T) {
	var now inventory
	for ctx := watchdog(t); ; time.Sleep(20 * time.Millisecond) {
		now = countHeld(t)
		if len(children(t)) == 0 && now.files <= before.files && now.goroutines <= before.goroutines && now.mappings <= before.mappings {
			return
		}
		if ctx.Err() != nil || t.Failed() {
			break
		}
	}
	buf := make([]byte, 1<<20)
	t.Errorf("left over: %d processes, %+v where there was %+v\n%s", len(children(t)), now, before, buf[:runtime.Stack(buf, true)])
}
