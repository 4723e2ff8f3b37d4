package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/perijove/perijove/lib/mp"
)

// announced holds the time at which a process was about to be killed, and a lock that
// the process may own.
type announced struct {
	Lock *mp.Mutex
	At   *mp.Value[int64] // the time, in nanoseconds since 1970
}

func (a announced) since() float64 { return float64(time.Now().UnixNano()-a.At.Load()) / 1e6 }

func killMyself(at *mp.Value[int64]) (int, error) {
	at.Store(time.Now().UnixNano())
	p, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = p.Signal(syscall.SIGKILL)
	}
	if err == nil {
		select {}
	}
	return 0, err
}

func workerKilled(ctx context.Context) (float64, error) {
	pool, err := mp.NewPool(mp.Processes, mp.Workers(3))
	if err != nil {
		return 0, err
	}
	defer pool.Close()
	at, err := mp.NewValue[int64](mp.Processes, 0)
	if err != nil {
		return 0, err
	}
	_, err = mp.Submit[int](ctx, pool, killMyself, at).Result(ctx)
	took := announced{At: at}.since()
	if _, ok := errors.AsType[*mp.ExitError](err); !ok {
		return 0, fmt.Errorf("a task that kills its worker did not fail with an *mp.ExitError, but with: %w", err)
	}
	return took, nil
}

func dieWithLock(a announced) error {
	a.Lock.Lock()
	time.Sleep(20 * time.Millisecond) // so that others wait for the lock
	_, err := killMyself(a.At)
	return err
}

func ownerKilled(ctx context.Context) (float64, error) {
	a := announced{}
	var err error
	if a.Lock, err = mp.NewMutex(mp.Processes); err != nil {
		return 0, err
	}
	if a.At, err = mp.NewValue[int64](mp.Processes, 0); err != nil {
		return 0, err
	}
	p, err := mp.Start(ctx, mp.Processes, dieWithLock, a)
	if err != nil {
		return 0, err
	}
	for a.Lock.TryLock() {
		a.Lock.Unlock()
		time.Sleep(time.Millisecond)
	}
	if err := a.Lock.LockContext(ctx); err != nil {
		return 0, err
	}
	took := a.since()
	a.Lock.Unlock()
	_ = p.Join(ctx) // it was killed
	return took, nil
}

// familyRole is the environment variable that makes this program call family: it
// becomes a parent with children, for parentKilled.
const familyRole = "PARALLEL_FAMILY"

func spin(int) int {
	fmt.Println(os.Getpid())
	for n := 0; ; n++ {
		if n < 0 {
			return n
		}
	}
}

// family starts children that compute without reading from their pipes, and waits for
// them.
func family() {
	pool, err := mp.NewPool(mp.Processes, mp.Workers(3))
	if err == nil {
		_, err = mp.Map[int](context.Background(), pool, spin, make([]int, 3))
	}
	fmt.Fprintln(os.Stderr, err)
}

func parentKilled(ctx context.Context) (float64, error) {
	path, err := os.Executable()
	if err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(ctx, path)
	cmd.Env = append(os.Environ(), familyRole+"=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	var pids []int
	for s := bufio.NewScanner(out); len(pids) < 3 && s.Scan(); {
		pid, err := strconv.Atoi(s.Text())
		if err != nil {
			return 0, err
		}
		pids = append(pids, pid)
	}
	begin := time.Now()
	if err := cmd.Process.Kill(); err != nil {
		return 0, err
	}
	for _, pid := range pids {
		for running(pid) && ctx.Err() == nil {
			time.Sleep(200 * time.Microsecond)
		}
	}
	took := time.Since(begin).Seconds() * 1e3
	_ = cmd.Wait() // it was killed
	return took, ctx.Err()
}

// running reports whether a process runs. A zombie, which has ended but not been waited
// for, does not.
func running(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(b), ") Z ")
}
