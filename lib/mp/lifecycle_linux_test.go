package mp_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/perijove/perijove/lib/mp"
)

// role is the environment variable that makes this test binary run another program:
// TestMain calls playRole before Init.
const role = "MP_TEST_ROLE"

// playRole runs one of the programs below, which the tests start and kill.
func playRole(name string) int {
	switch name {
	case "no entry":
		_, err := mp.Start(context.Background(), mp.Processes, nothing, "")
		fmt.Println(errors.Is(err, mp.ErrNoEntry), err)
		_, err = mp.NewPool(mp.Processes)
		fmt.Println(errors.Is(err, mp.ErrNoEntry))
		return 0
	case "parent":
		heedInterrupts()
		mp.Init()
		return startAndWait()
	case "interrupted":
		mp.Init()
		return mapUntilInterrupted()
	case "large heap":
		mp.Init()
		return startWithLargeHeap()
	case "full shm":
		mp.Init()
		return shareWithoutShm()
	}
	fmt.Fprintln(os.Stderr, "no such role:", name)
	return 2
}

// heedInterrupts restores the default action of SIGINT, since a shell makes its background
// jobs ignore that signal.
func heedInterrupts() {
	var byDefault [4]uintptr // a struct sigaction
	syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(syscall.SIGINT), uintptr(unsafe.Pointer(&byDefault)), 0, 8, 0, 0)
}

// startAndWait prints the ids of its children, which never end, and waits.
func startAndWait() int {
	pool, err := mp.NewPool(mp.Processes, mp.Workers(3))
	if err != nil {
		fmt.Println(err)
		return 1
	}
	for range 3 {
		mp.Submit[int](context.Background(), pool, spinForever, 0)
		p, err := mp.Start(context.Background(), mp.Processes, sleeping, "1000")
		if err != nil {
			fmt.Println(err)
			return 1
		}
		fmt.Println("child", p.PID())
	}
	select {}
}

func spinForever(int) int {
	fmt.Println("child", os.Getpid())
	for n := 0; ; n++ {
		if n < 0 {
			return n
		}
	}
}

// sleeping starts a program and waits for it: a grandchild that does not use package
// mp.
func sleeping(seconds string) error {
	cmd := exec.Command("sleep", seconds)
	if err := cmd.Start(); err != nil {
		return err
	}
	fmt.Println("child", cmd.Process.Pid)
	return cmd.Wait()
}

// another returns a command that runs this test binary in a role. The test must start
// it and wait for it.
func another(t *testing.T, name string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("/proc/self/exe", "-test.run=^$")
	cmd.Env = append(os.Environ(), role+"="+name)
	return cmd
}

func TestProgramWithoutEntryStartsNoChild(t *testing.T) {
	out, err := another(t, "no entry").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "true mp: cannot start a child process: call mp.Init() first in main") || strings.Count(string(out), "true") != 2 {
		t.Errorf("got %q, %v", out, err)
	}
}

func TestNoOrphans(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGKILL, syscall.SIGINT, syscall.SIGTERM} {
		t.Run(sig.String(), func(t *testing.T) {
			cmd := another(t, "parent")
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			cmd.WaitDelay = time.Minute
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			const family = 9 // three children, their three programs, three workers
			var pids []int
			for s := bufio.NewScanner(out); len(pids) < family && s.Scan(); {
				pid, err := strconv.Atoi(strings.TrimPrefix(s.Text(), "child "))
				if err != nil {
					t.Fatalf("the parent says %q", s.Text())
				}
				pids = append(pids, pid)
			}
			if err := cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			killed := time.Now()
			for ctx := watchdog(t); len(pids) > 0 && ctx.Err() == nil; time.Sleep(time.Millisecond) {
				pids = slices.DeleteFunc(pids, gone)
			}
			t.Logf("all gone after %v", time.Since(killed))
			if len(pids) > 0 {
				t.Errorf("still running: %v", pids)
			}
			_ = cmd.Wait() // it was killed
			if lines := strings.Count(stderr.String(), "\n"); lines > 1 {
				t.Errorf("%d lines on stderr: %q", lines, stderr.String())
			}
		})
	}
}

// gone reports whether a process has ended, reaped or not.
func gone(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || bytes.Contains(b, []byte(") Z "))
}

var manyPools = flag.Int("mp.pools", 50, "how many pools TestNothingLeaks makes")

func TestNothingLeaks(t *testing.T) {
	usePool(t) // creates what is created only once
	before := holdings(t)
	for range *manyPools {
		usePool(t)
	}
	var after [4]int
	for ctx := watchdog(t); ctx.Err() == nil; time.Sleep(10 * time.Millisecond) {
		runtime.GC() // frees unreachable objects
		if after = holdings(t); after[0] <= before[0] && after[1] <= before[1] && after[2] <= before[2] && after[3] <= before[3] {
			return
		}
	}
	t.Errorf("descriptors, children, goroutines, shared mappings: %v after one pool, %v after %d", before, after, *manyPools)
}

func usePool(t *testing.T) {
	p, err := mp.NewPool(mp.Processes, mp.Workers(2))
	if err != nil {
		t.Fatal(err)
	}
	expectMap(t, p)
	q := made(mp.NewQueue[int](mp.Processes, 0))
	l := made(mp.NewMutex(mp.Processes))
	if err := q.Put(watchdog(t), 1); err != nil || !l.TryLock() {
		t.Error(err)
	}
	p.Close()
}

// holdings returns the numbers of open files, child processes, goroutines, and mappings
// of shared memory.
func holdings(t *testing.T) [4]int {
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	return [4]int{len(files), len(children(t)), runtime.NumGoroutine(), bytes.Count(maps, []byte("memfd:"))}
}

// children returns the ids of this process's children.
func children(t *testing.T) (pids []int) {
	lists, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		t.Error(err)
	}
	for _, list := range lists {
		b, err := os.ReadFile(list)
		if err != nil {
			continue // the thread has ended
		}
		for _, f := range strings.Fields(string(b)) {
			pid, err := strconv.Atoi(f)
			if err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

func TestPoolThatNobodyRefersToIsClosed(t *testing.T) {
	before := holdings(t)
	func() {
		p, err := mp.NewPool(mp.Processes, mp.Workers(2))
		if err != nil {
			t.Fatal(err)
		}
		expectMapOnly(t, p)
	}()
	for ctx := watchdog(t); holdings(t)[1] > before[1]; time.Sleep(10 * time.Millisecond) {
		if ctx.Err() != nil {
			t.Fatal("the workers of a dropped pool live on")
		}
		runtime.GC()
	}
}

func expectMapOnly(t *testing.T, p *mp.Pool) {
	if ys, err := mp.Map[int](watchdog(t), p, square, []int{3}); err != nil || ys[0] != 9 {
		t.Errorf("got %v, %v", ys, err)
	}
}

func childCores(int) (string, error) {
	return fmt.Sprintf("%d %s %d", runtime.GOMAXPROCS(0), os.Getenv("OMP_NUM_THREADS"), mp.Cores()), nil
}

func TestCoresAreSharedOut(t *testing.T) {
	p := newPool(t, mp.Processes, mp.Workers(64))
	ys, err := mp.Map[string](watchdog(t), p, childCores, []int{0})
	n := max(1, mp.Cores()/64)
	if want := fmt.Sprintf("%d %d %d", n, n, n); err != nil || ys[0] != want {
		t.Errorf("a worker of 64 sees %q, %v; want %q", ys, err, want)
	}
}
