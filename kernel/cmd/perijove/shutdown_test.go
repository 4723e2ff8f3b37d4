package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/perijove/perijove/kernel/internal/kerneltest"
)

// kin is a cell that starts every kind of child process: a program, a shell that has the
// cell's output streams and a child, and processes of the library, in a pool and outside,
// which start a program.
const kin = `import "github.com/perijove/perijove/lib/mp"
exec.Command("sleep", "1000").Start()
shell := exec.Command("sh", "-c", "sleep 1000 & sleep 1000")
shell.Stdout, shell.Stderr = os.Stdout, os.Stderr
shell.Start()
func forever(n int) int {
	c := exec.Command("sleep", "1000")
	c.Stdout = os.Stdout
	c.Start()
	for { time.Sleep(time.Hour) }
}
alone, err := mp.Go[int](context.Background(), mp.Processes, forever, 0)
if err != nil { panic(err) }
pool, err := mp.NewPool(mp.Processes, mp.Workers(2))
if err != nil { panic(err) }
mp.Submit[int](context.Background(), pool, forever, 1)
go func() { for { fmt.Println("on and on"); time.Sleep(time.Millisecond) } }()`

// family starts a kernel, executes kin, and returns the kernel's descendants.
func family(t *testing.T, before ...string) (*testKernel, []processStat) {
	t.Helper()
	k := startReal(t, before...)
	got, err := k.execute(cellRun{code: kin})
	if err != nil || got.status != "ok" {
		t.Fatalf("%+v, %v", got, err)
	}
	kernel := k.cmd.Process.Pid
	if len(before) > 0 {
		kernel = descendants(kernel)[0].pid
	}
	var list []processStat
	eventually(t, "five sleeping programs", func() bool {
		list = descendants(kernel)
		sleeping := slices.DeleteFunc(slices.Clone(list), func(p processStat) bool { return p.name != "sleep" })
		return len(sleeping) == 5
	})
	t.Logf("%v", list)
	return k, list
}

// gone waits until processes have ended.
func gone(t *testing.T, list []processStat) {
	t.Helper()
	start := time.Now()
	for _, p := range list {
		eventually(t, fmt.Sprintf("the end of %s (%d)", p.name, p.pid), func() bool {
			return !slices.ContainsFunc(processTable(), func(q processStat) bool { return q.pid == p.pid && !q.zombie })
		})
	}
	t.Logf("%d processes were gone after %v", len(list), time.Since(start).Round(time.Millisecond))
}

// TestNothingIsLeft: the processes that a kernel and its cells have started end with the
// kernel, no matter how it ends.
func TestNothingIsLeft(t *testing.T) {
	signal := func(s syscall.Signal) func(*testing.T, *testKernel) {
		return func(t *testing.T, k *testKernel) {
			if err := k.cmd.Process.Signal(s); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, test := range []struct {
		name   string
		before []string
		end    func(*testing.T, *testKernel)
		tidy   bool // the kernel also removes its folder of compiled cells
	}{
		{"request", nil, func(t *testing.T, k *testKernel) {
			if _, err := k.client.Send(kerneltest.Control, "shutdown_request", `{"restart":false}`); err != nil {
				t.Fatal(err)
			}
		}, true},
		{"request while a cell runs", nil, func(t *testing.T, k *testKernel) {
			if _, err := k.client.Execute("for {}"); err != nil {
				t.Fatal(err)
			}
			if _, err := k.client.Send(kerneltest.Control, "shutdown_request", `{"restart":true}`); err != nil {
				t.Fatal(err)
			}
		}, true},
		{"SIGTERM", nil, signal(syscall.SIGTERM), true},
		{"SIGHUP", nil, signal(syscall.SIGHUP), true},
		{"SIGKILL", nil, signal(syscall.SIGKILL), false},
		{"SIGKILL while a cell prints", nil, func(t *testing.T, k *testKernel) {
			id, err := k.client.Execute("for { fmt.Println(1) }")
			if err != nil {
				t.Fatal(err)
			}
			begins(t, k.client, id)
			signal(syscall.SIGKILL)(t, k)
		}, false},
		{"SIGKILL of Jupyter", []string{"/bin/sh", "-c", `JPY_PARENT_PID=$$ "$0" "$@" & wait`}, signal(syscall.SIGKILL), true},
	} {
		t.Run(test.name, func(t *testing.T) {
			k, list := family(t, test.before...)
			if len(test.before) > 0 {
				list = append(list, descendants(k.cmd.Process.Pid)[0])
			}
			test.end(t, k)
			k.cmd.Wait()
			gone(t, list)
			if !test.tidy {
				return
			}
			eventually(t, "an empty folder", func() bool {
				left, _ := filepath.Glob(filepath.Join(k.cmd.Dir, "perijove-*"))
				sockets, _ := filepath.Glob(k.conn.IP + "-*")
				return len(left)+len(sockets) == 0
			})
		})
	}
}

// TestNothingIsLeftOfAWorker: these processes also end when only the worker process dies.
func TestNothingIsLeftOfAWorker(t *testing.T) {
	k, list := family(t)
	got, err := k.execute(cellRun{code: "syscall.Kill(os.Getpid(), syscall.SIGKILL)"})
	if err != nil || got.ename != "WorkerDied" {
		t.Fatalf("%+v, %v", got, err)
	}
	gone(t, slices.DeleteFunc(list, func(p processStat) bool { return p.name == "compile" })) // compilers wait for the next cell
	if got, err := k.execute(cellRun{code: "6 * 7"}); err != nil || got.result != "42" {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := os.Stat(k.cmd.Dir); err != nil {
		t.Error(err)
	}
}
