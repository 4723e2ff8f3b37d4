package session

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/perijove/perijove/kernel/internal/output"
	"golang.org/x/sys/unix"
)

// begin runs a cell and returns its transcript, which later output of its goroutines extends.
func begin(t *testing.T, s *Session, code string) *transcript {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	tr := &transcript{}
	if reply := s.Execute(ctx, output.Request{Code: code, StoreHistory: true}, tr); reply.Status != output.OK {
		t.Fatalf("%v in\n%s", reply.Error, code)
	}
	return tr
}

// TestLateGoroutine: the output of a goroutine belongs to the cell that started it,
// also after that cell has ended and while other cells run.
func TestLateGoroutine(t *testing.T) {
	s := newTestSession(t)
	first := begin(t, s, `import "github.com/perijove/perijove/lib/display"
gate, said := make(chan int), make(chan int)
go func() {
	go func() { // belongs to a cell only by its origin
		for i := range gate {
			fmt.Println("goroutine", i)
			os.Stdout.Write([]byte{0xc3})
			os.Stderr.WriteString("to stderr\n")
			os.Stdout.Write([]byte{0xa9, '\n'})
			display.Markdown("*shown*")
			fmt.Printf("%s\n", strings.Repeat("x", 200_000))
			said <- i
		}
		panic("at the end")
	}()
}()`)
	second := begin(t, s, "gate <- 1\n<-said\nfmt.Println(\"second\")")
	third := begin(t, s, "gate <- 2\n<-said\nfmt.Println(\"third\")\nclose(gate)\ntime.Sleep(time.Millisecond)")
	eventually(t, "the goroutine's panic", func() bool { return strings.Contains(first.text(), "at the end") })
	got := first.text()
	mustContain(t, got, "goroutine 1\n", "goroutine 2\n", "é\n", "to stderr\n", "*shown*", strings.Repeat("x", 200_000)+"\n", "panic: at the end")
	for name, text := range map[string]string{"second": second.text(), "third": third.text()} {
		if want := "[stdout]\n" + name + "\n"; text != want {
			t.Errorf("the %s cell:\n%.500s", name, text)
		}
	}
}

// TestLateTimer: the output of a timer's function belongs to the cell that made the timer,
// although the runtime starts the function's goroutine.
func TestLateTimer(t *testing.T) {
	s := newTestSession(t)
	fifo := newFifo(t)
	first := begin(t, s, fmt.Sprintf("time.AfterFunc(time.Millisecond, func() { os.ReadFile(%q); fmt.Println(\"timer\") })", fifo))
	second := begin(t, s, "fmt.Println(\"second\")")
	release(t, fifo, "")
	eventually(t, "the timer's words", func() bool { return strings.Contains(first.text(), "timer") })
	if got := second.text(); got != "[stdout]\nsecond\n" {
		t.Errorf("the second cell:\n%s", got)
	}
}

// stray starts a goroutine without profiler labels, whose cell is therefore unknown.
const stray = `import "runtime/pprof"
gate, said := make(chan int), make(chan int)
go func() {
	pprof.SetGoroutineLabels(context.Background())
	<-gate
	fmt.Println("stray")
	close(said)
}()`

func TestLateStray(t *testing.T) {
	s := newTestSession(t)
	begin(t, s, stray)
	second := begin(t, s, "close(gate)\n<-said")
	mustContain(t, second.text(), "stray")
}

// TestLateAfterExpression: late output of an unknown cell is shown in the last cell, not in a user expression.
func TestLateAfterExpression(t *testing.T) {
	s := newTestSession(t)
	fifo := newFifo(t)
	tr := &transcript{}
	reply := s.Execute(t.Context(), output.Request{
		Code:            strings.ReplaceAll(stray, "<-gate", fmt.Sprintf("os.ReadFile(%q)", fifo)),
		StoreHistory:    true,
		UserExpressions: map[string]string{"n": "3 + 4"},
	}, tr)
	if got := reply.UserExpressions["n"].Data["text/plain"]; got != "7" {
		t.Fatalf("%v, %v", got, reply.Error)
	}
	release(t, fifo, "")
	eventually(t, "its words", func() bool { return strings.Contains(tr.text(), "stray") })
}

func newFifo(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fifo")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// release writes text to a named pipe, whose reader then continues.
func release(t *testing.T, fifo, text string) {
	t.Helper()
	if err := os.WriteFile(fifo, []byte(text), 0); err != nil {
		t.Fatal(err)
	}
}

// TestLateChild: late output of a child process that has inherited the standard streams belongs to its cell. The kernel
// closes the pipe when the child ends.
func TestLateChild(t *testing.T) {
	s := newTestSession(t)
	fifo := newFifo(t)
	first := begin(t, s, fmt.Sprintf(`c := exec.Command("sh", "-c", "echo begins; cat %s; echo to stderr >&2")
c.Stdout, c.Stderr = os.Stdout, os.Stderr
if err := c.Start(); err != nil { panic(err) }`, fifo))
	second := begin(t, s, `%env A=b
d := exec.Command("echo", "another")
d.Stdout = os.Stdout
d.Run()
fmt.Println("second")`)
	release(t, fifo, "late words\n")
	third := begin(t, s, "c.Wait()\nfmt.Println(\"third\")")
	eventually(t, "the child's words", func() bool { return strings.Contains(first.text(), "to stderr") })
	mustContain(t, first.text(), "begins\n", "late words\n")
	if got := second.text(); got != "[stdout]\nanother\nsecond\n" {
		t.Errorf("the second cell:\n%s", got)
	}
	if got := third.text(); got != "[stdout]\nthird\n" {
		t.Errorf("the third cell:\n%s", got)
	}
	begin(t, s, "2")
	eventually(t, "one pair of open pipes", func() bool { return openBelow(t, filepath.Join(s.scratch.Path, "out")) == 2 })
	if left, _ := filepath.Glob(filepath.Join(s.scratch.Path, "out*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// openBelow counts this process's open files whose path begins with prefix.
func openBelow(t *testing.T, prefix string) int {
	t.Helper()
	links, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, l := range links {
		if to, err := os.Readlink(l); err == nil && strings.HasPrefix(to, prefix) {
			n++
		}
	}
	return n
}

// TestLatePool: the output of a pool's workers belongs to the running cell.
func TestLatePool(t *testing.T) {
	for _, backend := range []string{"Processes", "Goroutines"} {
		s := newTestSession(t)
		begin(t, s, fmt.Sprintf(`import "github.com/perijove/perijove/lib/mp"
func say(n int) int { fmt.Println("task", n); return n }
pool, err := mp.NewPool(mp.%s, mp.Workers(1))
if err != nil { panic(err) }
c := exec.Command("true")
c.Stdout = os.Stdout
c.Run()`, backend))
		begin(t, s, "mp.Map[int](context.Background(), pool, say, []int{0})")
		// Output arrives through two pipes, in the order in which the kernel reads them. So the cell waits until its
		// text was read.
		third := begin(t, s, `fmt.Println("before")
for unread := int32(1); unread > 0; {
	syscall.Syscall(syscall.SYS_IOCTL, 1, syscall.TIOCINQ, uintptr(unsafe.Pointer(&unread)))
}
list, err := mp.Map[int](context.Background(), pool, say, []int{1})
fmt.Println("after", list, err)`)
		if got := third.text(); got != "[stdout]\nbefore\ntask 1\nafter [1] <nil>\n" {
			t.Errorf("%s: the third cell:\n%s", backend, got)
		}
	}
}
