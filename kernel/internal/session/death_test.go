package session

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/perijove/perijove/kernel/internal/output"
)

// TestStoppedWorker: a worker process that SIGSTOP has stopped cannot answer an interrupt, and the kernel ends it.
func TestStoppedWorker(t *testing.T) {
	s := newTestSession(t)
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	pid := workerPID(s)
	tr := &transcript{trigger: "stopping", action: func() { go func() { awaitStopped(t, pid); s.Interrupt() }() }}
	reply := s.Execute(ctx, output.Request{Code: "fmt.Println(\"stopping\")\nsyscall.Kill(os.Getpid(), syscall.SIGSTOP)\nselect {}", StoreHistory: true}, tr)
	if reply.Error == nil || !strings.Contains(reply.Error.Value, "did not react") {
		t.Fatalf("%+v", reply.Error)
	}
	mustContain(t, execute(t, s, "2 + 2"), "4")
}

// awaitStopped waits until a process is stopped. An interrupt before that would end
// only the cell.
func awaitStopped(t *testing.T, pid int) {
	for end := time.Now().Add(testTimeout); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err != nil || strings.Contains(string(b), ") T ") {
			return
		}
	}
	t.Error("the worker did not stop")
}

// TestDeathWithUnreadMessage: when a worker process dies before it has read a message of the kernel, the report gives
// the cause of its death, not the failed connection.
func TestDeathWithUnreadMessage(t *testing.T) {
	s := newTestSession(t)
	s.mu.Lock()
	w := s.worker
	s.mu.Unlock()
	tr := &transcript{trigger: "stopping", action: func() {
		go func() {
			awaitStopped(t, w.PID())
			if err := errors.Join(w.Drop(nil), syscall.Kill(w.PID(), syscall.SIGKILL)); err != nil {
				t.Error(err)
			}
		}()
	}}
	s.Execute(t.Context(), output.Request{Code: "fmt.Println(\"stopping\")\nsyscall.Kill(os.Getpid(), syscall.SIGSTOP)\nselect {}", StoreHistory: true}, tr)
	mustContain(t, tr.text(), "the process that runs the cells died: it was ended by signal 9")
}

// TestDeathBetweenCells: after the death of the worker process, the next cell reports it and does not run, since its
// variables are lost.
func TestDeathBetweenCells(t *testing.T) {
	s := newTestSession(t)
	execute(t, s, "gone := 7")
	s.mu.Lock()
	w := s.worker
	s.mu.Unlock()
	if err := syscall.Kill(w.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the worker's end", w.IsDead)
	mustContain(t, execute(t, s, "gone"), "died after the last cell", "lost variables: gone (cell 1)", "undefined: gone")
	if got := execute(t, s, "2 + 2"); strings.Contains(got, "died") || !strings.Contains(got, "4") {
		t.Errorf("the cell after it: %s", got)
	}
}
