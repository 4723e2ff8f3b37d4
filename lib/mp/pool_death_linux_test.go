package mp_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/mp"
)

// announceAndWait puts its process id into q, and then takes 50 ms.
func announceAndWait(q *mp.Queue[int]) error {
	err := q.Put(context.Background(), os.Getpid())
	time.Sleep(50 * time.Millisecond)
	return err
}

func TestKillDuringInitializer(t *testing.T) {
	q := made(mp.NewQueue[int](mp.Processes, 0))
	p := newPool(t, mp.Processes, mp.Workers(3), mp.Initializer(announceAndWait, q))
	kill := func() {
		t.Helper()
		_ = syscall.Kill(announced(t, q), syscall.SIGKILL)
	}
	for range 3 {
		kill()
	}
	for range 3 { // their replacements live
		announced(t, q)
	}
	expectMap(t, p)
	for range 3 {
		awaitReady(t, p, 3)
		_ = syscall.Kill(children(t)[0], syscall.SIGKILL) // as the OOM killer might
		kill()                                            // and its replacement while it loads
		expectMap(t, p)
		announced(t, q)
	}
}

// announced returns the id of the next process that runs the initializer. It ignores
// ErrPeerDied, which Get returns when all processes that used the queue have died.
func announced(t *testing.T, q *mp.Queue[int]) int {
	t.Helper()
	for {
		pid, err := q.Get(watchdog(t))
		if err != nil && !errors.Is(err, mp.ErrPeerDied) {
			t.Fatal(err)
		}
		if err == nil {
			return pid
		}
	}
}

func dieAlways(q *mp.Queue[int]) { killMyself() }

func TestInitializerThatIsAlwaysKilled(t *testing.T) {
	q := made(mp.NewQueue[int](mp.Processes, 0))
	p := newPool(t, mp.Processes, mp.Workers(2), mp.Initializer(dieAlways, q))
	_, err := mp.Map[int](watchdog(t), p, square, upTo(10))
	refused(t, err, "workers of the pool died in its initializer", "signal 9")
	if e, ok := errors.AsType[*mp.ExitError](err); !ok || e.Signal != syscall.SIGKILL {
		t.Errorf("got %v", err)
	}
}

// TestWorkersAreKilledAsTheyStart checks that workers that are killed before they have
// begun any work are replaced. A process with many threads finds some of its children too
// late. Then a task follows, so that the pool does not count another idle death.
func TestWorkersAreKilledAsTheyStart(t *testing.T) {
	p := newPool(t, mp.Processes, mp.Workers(1))
	awaitReady(t, p, 1)
	for kills, ctx := 0, watchdog(t); kills < 30; time.Sleep(time.Millisecond) {
		if ctx.Err() != nil {
			t.Fatalf("%d workers were killed as they started, want 30", kills)
		}
		for _, pid := range children(t) {
			switch {
			case syscall.Kill(pid, syscall.SIGKILL) != nil:
			case mp.ReadyWorkers(p) == 0:
				kills++
			default:
				expectMap(t, p)
			}
		}
	}
	expectMap(t, p)
}

func TestIdleWorkersAreKilled(t *testing.T) {
	p := newPool(t, mp.Processes, mp.Workers(2))
	for range 6 {
		awaitReady(t, p, 2)
		n := p.Stats().Restarts
		for _, pid := range children(t) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		for ctx := watchdog(t); p.Stats().Restarts < n+2; time.Sleep(time.Millisecond) {
			if ctx.Err() != nil {
				t.Fatal("a worker is not replaced")
			}
		}
	}
	expectMap(t, p)
}

func awaitReady(t *testing.T, p *mp.Pool, n int) {
	t.Helper()
	for ctx := watchdog(t); mp.ReadyWorkers(p) < n; time.Sleep(time.Millisecond) {
		if ctx.Err() != nil {
			t.Fatal("the workers do not start")
		}
	}
}

// pipesToParent returns the descriptors of this process's pipes, except for the
// standard streams.
func pipesToParent() (fds []int) {
	for fd := 3; fd < 20; fd++ {
		if to, err := os.Readlink(fmt.Sprint("/proc/self/fd/", fd)); err == nil && strings.HasPrefix(to, "pipe:") {
			fds = append(fds, fd)
		}
	}
	return fds
}

// spoil damages the connection of a worker, and goes on.
func spoil(how string) (int, error) {
	for _, fd := range pipesToParent() {
		switch how {
		case "text":
			_, _ = syscall.Write(fd, []byte("hello, world: this is a log line of mine\n"))
		case "zeros":
			_, _ = syscall.Write(fd, make([]byte, 64))
		case "close":
			_ = syscall.Close(fd)
		case "no":
		}
	}
	if how != "no" {
		select {}
	}
	return len(how), nil
}

func TestSpoiledConnection(t *testing.T) {
	for _, how := range []string{"text", "zeros", "close"} {
		t.Run(how, func(t *testing.T) {
			p := newPool(t, mp.Processes, mp.Workers(1))
			bad := mp.Submit[int](watchdog(t), p, spoil, how)
			good := mp.Submit[int](watchdog(t), p, spoil, "no")
			_, err := bad.Result(watchdog(t))
			if e, ok := errors.AsType[*mp.ExitError](err); !ok || e.Cause == nil {
				t.Errorf("got %v", err)
			}
			expect(t, 2)(good.Result(watchdog(t))) // went to another worker
			expectMap(t, p)
			_, err = result(mp.Go[int](watchdog(t), mp.Processes, spoil, how))
			if e, ok := errors.AsType[*mp.ExitError](err); !ok || e.Cause == nil {
				t.Errorf("a process of its own: %v", err)
			}
		})
	}
}

// startSleeper starts a program that runs longer than the task.
func startSleeper(seconds string) (int, error) {
	cmd := exec.Command("sleep", seconds)
	err := cmd.Start()
	if err != nil {
		return 0, err
	}
	return cmd.Process.Pid, nil
}

func expectGone(t *testing.T, pids ...int) {
	t.Helper()
	for ctx := watchdog(t); len(pids) > 0 && ctx.Err() == nil; time.Sleep(time.Millisecond) {
		pids = slices.DeleteFunc(pids, gone)
	}
	if len(pids) > 0 {
		t.Errorf("still running: %v", pids)
	}
}

func TestProgramsEndWithTheirWorker(t *testing.T) {
	for how, end := range map[string]func(*mp.Pool){"Kill": (*mp.Pool).Kill, "Close": func(p *mp.Pool) { p.Close() }} {
		t.Run(how, func(t *testing.T) {
			p := newPool(t, mp.Processes, mp.Workers(2))
			pids, err := mp.Map[int](watchdog(t), p, startSleeper, slices.Repeat([]string{"1000"}, 4))
			if err != nil {
				t.Fatal(err)
			}
			end(p)
			expectGone(t, pids...)
		})
	}
	pid, err := result(mp.Go[int](watchdog(t), mp.Processes, startSleeper, "1000"))
	if err != nil {
		t.Fatal(err)
	}
	expectGone(t, pid)
	p := newPool(t, mp.Processes, mp.Workers(1))
	both, err := mp.Map[[2]int](watchdog(t), p, sleeperAndSelf, []int{0})
	if err != nil {
		t.Fatal(err)
	}
	_ = syscall.Kill(both[0][0], syscall.SIGKILL)
	expectGone(t, both[0][:]...)
}

func sleeperAndSelf(int) ([2]int, error) {
	pid, err := startSleeper("1000")
	return [2]int{os.Getpid(), pid}, err
}

func TestStoppedWorkerDoesNotOutliveGrace(t *testing.T) {
	p := newPool(t, mp.Processes, mp.Workers(2), mp.Grace(20*time.Millisecond))
	awaitReady(t, p, 2)
	pids := children(t)
	for _, pid := range pids {
		_ = syscall.Kill(pid, syscall.SIGSTOP)
	}
	ctx, cancel := context.WithTimeout(watchdog(t), 20*time.Millisecond)
	defer cancel()
	if _, err := mp.Map[int](ctx, p, square, upTo(10)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	p.Close()
	expectGone(t, pids...)
	one, err := mp.Start(watchdog(t), mp.Processes, forever, mp.None{}, mp.Grace(20*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	_ = one.Signal(syscall.SIGSTOP)
	one.Terminate()
	if err := one.Join(watchdog(t)); err == nil || errors.Is(err, errHang) {
		t.Errorf("got %v", err)
	}
}

// TestStoppedWorkerOfAKilledParent checks that a stopped worker whose parent is killed
// continues, and ends itself and the processes that it has started.
func TestStoppedWorkerOfAKilledParent(t *testing.T) {
	cmd := another(t, "parent")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var pids []int
	for s := bufio.NewScanner(out); len(pids) < 9 && s.Scan(); {
		var pid int
		if _, err := fmt.Sscanf(s.Text(), "child %d", &pid); err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	for _, pid := range pids {
		_ = syscall.Kill(pid, syscall.SIGSTOP)
	}
	_ = cmd.Process.Kill()
	expectGone(t, pids...)
	_ = cmd.Wait()
}
