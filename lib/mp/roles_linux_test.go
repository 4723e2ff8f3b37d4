package mp_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/mp"
)

// mapUntilInterrupted runs a Map with a context that interrupts end, as a typical
// program does.
func mapUntilInterrupted() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	pool, err := mp.NewPool(mp.Processes, mp.Workers(3), mp.Grace(10*time.Millisecond))
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer pool.Close()
	if _, err := mp.Map[int](ctx, pool, slowly, upTo(1000)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 3
	}
	return 0
}

func slowly(n int) int {
	if n == 0 {
		fmt.Println("working")
	}
	time.Sleep(time.Minute)
	return n
}

// TestInterruptIsOneLine checks that a program that is interrupted at a terminal, where
// the whole process group gets the signal, prints one line. (Python prints a traceback
// for each process.)
func TestInterruptIsOneLine(t *testing.T) {
	cmd := another(t, "interrupted")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var stderr bytes.Buffer
	cmd.Stderr, cmd.WaitDelay = &stderr, time.Minute
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if s := bufio.NewScanner(out); !s.Scan() || s.Text() != "working" {
		t.Errorf("the program says %q", s.Text())
	}
	if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGINT); err != nil {
		t.Error(err)
	}
	if e, ok := errors.AsType[*exec.ExitError](cmd.Wait()); !ok || e.ExitCode() != 3 {
		t.Errorf("it ended with %v", e)
	}
	if s := stderr.String(); strings.Count(s, "\n") != 1 || !strings.Contains(s, "interrupt") {
		t.Errorf("stderr: %q", s)
	}
}

// startWithLargeHeap starts children from a process with 1 GiB of live heap. A fork
// would copy its page tables, which takes 200 ms for 4 GiB in Python.
func startWithLargeHeap() int {
	heap := make([]byte, 1<<30)
	for i := 0; i < len(heap); i += os.Getpagesize() {
		heap[i] = 1
	}
	for range 4 {
		_, err := result(mp.Go[int](context.Background(), mp.Processes, square, 3))
		if err != nil {
			fmt.Println(err)
			return 1
		}
	}
	_, err := result(mp.Go[string](context.Background(), mp.Processes, memory, ""))
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("started", heap[0])
	return 0
}

// memory returns an error if this process has much private memory.
func memory(string) (string, error) {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return "", err
	}
	var kB int
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "RssAnon:"); ok {
			_, err = fmt.Sscan(rest, &kB)
		}
	}
	if limit := 15 << 10; kB > limit && !raceDetector || kB == 0 {
		err = fmt.Errorf("%d kB of anonymous memory", kB)
	}
	return fmt.Sprint(kB), err
}

func TestStartWithALargeHeap(t *testing.T) {
	out, err := another(t, "large heap").CombinedOutput()
	if err != nil || string(out) != "started 1\n" {
		t.Errorf("got %q, %v", out, err)
	}
}

// shareWithoutShm makes a /dev/shm without free space, and uses shared objects.
func shareWithoutShm() int {
	if err := syscall.Mount("none", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		fmt.Println(err)
		return 1
	}
	if err := syscall.Mount("none", "/dev/shm", "tmpfs", 0, "size=4k"); err != nil {
		fmt.Println(err)
		return 1
	}
	if err := os.WriteFile("/dev/shm/full", make([]byte, 8192), 0o600); !errors.Is(err, syscall.ENOSPC) {
		fmt.Println("not full:", err)
		return 1
	}
	a, err := mp.NewArray[float64](mp.Processes, 1<<20)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	for range 3 {
		p, err := mp.Start(context.Background(), mp.Processes, fill, a)
		if err == nil {
			err = p.Join(context.Background())
		}
		if err != nil {
			fmt.Println(err)
			return 1
		}
	}
	fmt.Println(a.Slice()[1<<20-1])
	return 0
}

func TestSharedMemoryNeedsNoShm(t *testing.T) {
	cmd := another(t, "full shm")
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	if os.Getuid() != 0 {
		cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) || os.Getuid() != 0 && strings.Contains(string(out), "not permitted") {
		if os.Getenv("PERIJOVE_REQUIRE_MOUNT") != "" {
			t.Fatal(err)
		}
		t.Skip("making a mount namespace needs root, or user namespaces:", err)
	}
	if err != nil || string(out) != "524287.5\n" {
		t.Errorf("got %q, %v", out, err)
	}
}
