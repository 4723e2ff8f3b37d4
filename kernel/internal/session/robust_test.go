package session

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/perijove/perijove"
	"github.com/perijove/perijove/kernel/internal/image"
	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/sinks"
	"golang.org/x/sys/unix"
)

const testTimeout = 2 * time.Minute // how long tests wait before they fail

// eventually waits for a condition.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(testTimeout); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// execute runs a cell and returns its transcript.
func execute(t *testing.T, s *Session, code string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	tr := &transcript{}
	s.Execute(ctx, output.Request{Code: code, StoreHistory: true}, tr)
	if ctx.Err() != nil {
		t.Fatalf("the cell hangs: %s\n%s", code, tr.text())
	}
	return tr.text()
}

func mustContain(t *testing.T, got string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(got, w) {
			t.Errorf("%q is missing in\n%s", w, got)
		}
	}
}

// flood sends 20,000 messages without waiting for an answer, then bytes that are no message.
const flood = `send := func(b []byte) {
	for _, err := syscall.Write(3, b); err == syscall.EAGAIN; _, err = syscall.Write(3, b) {
		time.Sleep(time.Millisecond)
	}
}
for i := range 20_000 {
	b := fmt.Appendf(nil, "notice {\"seq\":%d}", i+1_000_000)
	send(append(binary.LittleEndian.AppendUint32(nil, uint32(len(b))), b...))
}
send(make([]byte, 8))
select {}`

// TestHostileWorker: user code that writes to the control socket can end the worker,
// but never the kernel.
func TestHostileWorker(t *testing.T) {
	frame := func(json string) string {
		return fmt.Sprintf("b := []byte(%q)\nsyscall.Write(3, append(binary.LittleEndian.AppendUint32(nil, uint32(len(b))), b...))\nselect {}", json)
	}
	for name, c := range map[string]struct{ code, want string }{
		"garbage":      {"syscall.Write(3, bytes.Repeat([]byte{0xff}, 100))\nselect {}", "malformed control message"},
		"no JSON":      {frame("{{{{"), "malformed control message"},
		"other type":   {frame(`standby {"pid":"7"}`), "malformed control message"},
		"unknown kind": {frame("dance {}"), `unknown kind "dance"`},
		"ready twice":  {frame("ready {}"), "twice"},
		"closed":       {"syscall.Shutdown(3, syscall.SHUT_RDWR)\nselect {}", "the worker process died"},
		"flood":        {flood, "malformed control message"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newTestSession(t)
			execute(t, s, "before := 1")
			mustContain(t, execute(t, s, c.code), "WorkerDied", c.want, "before (cell 1)")
			mustContain(t, execute(t, s, "2 + 2"), "4")
		})
	}
}

// TestForgedEnd: a cell writes a message that it has ended, but not how.
func TestForgedEnd(t *testing.T) {
	s := newTestSession(t)
	got := execute(t, s, "b := []byte(`done {\"id\":1}`)\nsyscall.Write(3, append(binary.LittleEndian.AppendUint32(nil, uint32(len(b))), b...))\nselect {}")
	mustContain(t, got, "does not say how the cell ended")
}

// TestStoppedWorker: a worker stopped by SIGSTOP cannot answer an interrupt, and is ended.
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

// TestDeathWithUnreadMessage: when a worker dies before it has read a message of the
// kernel, the report has the cause of its death, not the failed connection.
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
	mustContain(t, tr.text(), "the worker process died: it was ended by signal 9")
}

// TestDeathBetweenCells: after the worker has died the next cell reports that, and does
// not run without the variables that it uses.
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
	mustContain(t, execute(t, s, "gone"), "died after the last cell", "lost with it: gone (cell 1)", "undefined: gone")
	if got := execute(t, s, "2 + 2"); strings.Contains(got, "died") || !strings.Contains(got, "4") {
		t.Errorf("the cell after it: %s", got)
	}
}

func countFDs(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// TestNoLeaks: after fifty deaths of the worker no goroutine, file or process is left.
func TestNoLeaks(t *testing.T) {
	s := newTestSession(t)
	execute(t, s, "1")
	ahead := func() { // the next cell's compiler is part of both counts
		p := s.program.Load()
		p.Compiler.Prepare()
		if err := p.Compiler.Prepared(); err != nil {
			t.Fatal(err)
		}
	}
	ahead()
	goroutines, fds := runtime.NumGoroutine(), countFDs(t)
	for range 50 {
		mustContain(t, execute(t, s, "syscall.Kill(os.Getpid(), syscall.SIGKILL)\nselect {}"), "signal 9")
	}
	execute(t, s, "1")
	ahead()
	eventually(t, "as many goroutines as before", func() bool { return runtime.NumGoroutine() <= goroutines })
	runtime.GC() // finalizers close files
	eventually(t, "as many open files as before", func() bool { return countFDs(t) <= fds })
	eventually(t, "no other child than the worker and a compiler", func() bool { return len(childrenOf(t, os.Getpid())) == 2 })
}

// childrenOf lists the living children of a process.
func childrenOf(t *testing.T, pid int) []int {
	t.Helper()
	var list []int
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range stats {
		b, err := os.ReadFile(f)
		if err != nil {
			continue // it has ended
		}
		text := string(b)
		fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
		if ppid, err := strconv.Atoi(fields[1]); err == nil && ppid == pid {
			if child, err := strconv.Atoi(strings.Fields(text)[0]); err == nil {
				list = append(list, child)
			}
		}
	}
	return list
}

// alive reports whether a process exists and is not a zombie.
func alive(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	text := string(b)
	return !strings.HasPrefix(text[strings.LastIndexByte(text, ')')+1:], " Z")
}

// family is a cell that starts child processes of every kind. Its result is their
// process IDs and the worker's.
const family = `
sleep := exec.Command("sleep", "1000")
if err := sleep.Start(); err != nil { panic(err) }
shell := exec.Command("sh", "-c", "sleep 1000 & wait")
shell.Stdout = os.Stdout
if err := shell.Start(); err != nil { panic(err) }
func forever(int) { for { time.Sleep(time.Second) } }
child, err := mp.Start(context.Background(), mp.Processes, forever, 0)
if err != nil { panic(err) }
fmt.Println("pids", os.Getpid(), sleep.Process.Pid, shell.Process.Pid, child.PID())
`

const familyImports = `import "github.com/perijove/perijove/lib/mp"` + "\n"

func pidsIn(t *testing.T, text string) []int {
	t.Helper()
	var pids []int
	for line := range strings.Lines(text) {
		rest, ok := strings.CutPrefix(line, "pids ")
		if !ok {
			continue
		}
		for f := range strings.FieldsSeq(rest) {
			pid, err := strconv.Atoi(f)
			if err != nil {
				t.Fatal(err)
			}
			pids = append(pids, pid)
		}
	}
	if len(pids) != 4 {
		t.Fatalf("no process numbers in\n%s", text)
	}
	return pids
}

func TestCloseEndsAll(t *testing.T) {
	s := newTestSession(t)
	pids := pidsIn(t, execute(t, s, familyImports+family))
	for _, pid := range pids {
		if !alive(pid) {
			t.Errorf("%d did not start", pid)
		}
	}
	scratch := s.scratch.path
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	for _, pid := range pids {
		eventually(t, fmt.Sprintf("the end of %d", pid), func() bool { return !alive(pid) })
	}
	if _, err := os.Stat(scratch); err == nil {
		t.Errorf("%s is still there", scratch)
	}
}

const kernelEnv = "PERIJOVE_TEST_KERNEL"

// TestKernelHelper is the kernel that TestKilledKernel kills.
func TestKernelHelper(t *testing.T) {
	if os.Getenv(kernelEnv) == "" {
		return // it does something only in the process that TestKilledKernel starts
	}
	img, err := image.Open(t.Context(), image.Options{Source: perijove.Source})
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(Config{Image: img, ProgressDelay: noProgress})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Print("\n" + execute(t, s, familyImports+family))
	fmt.Println("scratch", s.scratch.path)
	select {}
}

func TestKilledKernel(t *testing.T) {
	newTestSession(t) // builds the image
	tmp := t.TempDir()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKernelHelper$")
	cmd.Env = append(os.Environ(), kernelEnv+"=1", "TMPDIR="+tmp)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var text, scratch string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		text += lines.Text() + "\n"
		var ok bool
		if scratch, ok = strings.CutPrefix(lines.Text(), "scratch "); ok {
			break
		}
	}
	pids := pidsIn(t, text)
	if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed
	for _, pid := range pids {
		eventually(t, fmt.Sprintf("the end of %d", pid), func() bool { return !alive(pid) })
	}
	if _, err := os.Stat(scratch); err != nil {
		t.Fatalf("the killed kernel's folder: %v", err)
	}
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(scratch, old, old); err != nil {
		t.Fatal(err)
	}
	live, err := newScratch(tmp)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(scratch); err == nil {
		t.Error("a dead kernel's folder stays")
	}
	if err := os.Chtimes(live.path, old, old); err != nil {
		t.Fatal(err)
	}
	removeStale(tmp)
	if _, err := os.Stat(live.path); err != nil {
		t.Errorf("a living kernel's folder was removed: %v", err)
	}
	if err := live.remove(); err != nil {
		t.Error(err)
	}
}

// TestInherited: programs that cells start inherit the standard streams and no other file.
func TestInherited(t *testing.T) {
	s := newTestSession(t)
	got := execute(t, s, `out, err := exec.Command("sh", "-c", "ls -l /proc/$$/fd").Output()
fmt.Println("sockets:", strings.Count(string(out), "socket:"), "files:", strings.Count(string(out), "perijove"), err)`)
	mustContain(t, got, "sockets: 0 files: 0 <nil>")
}

// TestOutputAfterChild: a child that outlives its cell and keeps standard output open
// does not keep the cell from ending, and its later output is shown.
func TestOutputAfterChild(t *testing.T) {
	s := newTestSession(t)
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	tr := &transcript{}
	reply := s.Execute(t.Context(), output.Request{Code: fmt.Sprintf(`c := exec.Command("sh", "-c", "cat %s")
c.Stdout = os.Stdout
fmt.Println(c.Start())`, fifo), StoreHistory: true}, tr)
	if reply.Status != output.OK {
		t.Fatal(reply.Error)
	}
	if err := os.WriteFile(fifo, []byte("late words\n"), 0); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the child's words", func() bool { return strings.Contains(tr.text(), "late words") })
}

// TestLotsOfOutput: 20 MB of output are complete and in order, with a display between.
func TestLotsOfOutput(t *testing.T) {
	s := newTestSession(t)
	c := &counter{}
	reply := s.Execute(t.Context(), output.Request{Code: `import "github.com/perijove/perijove/lib/display"
w := bufio.NewWriter(os.Stdout)
for i := range 2_500_000 {
	fmt.Fprintf(w, "%07d\n", i)
	if i == 1_000_000 { w.Flush(); display.Markdown("middle") }
}
w.Flush()`, StoreHistory: true}, c)
	if reply.Status != output.OK {
		t.Fatal(reply.Error)
	}
	if c.lines != 2_500_000 || c.wrong != "" || c.atDisplay != 1_000_001 {
		t.Errorf("%d lines, first wrong one %q, display after %d", c.lines, c.wrong, c.atDisplay)
	}
}

// A counter checks a stream of numbered lines.
type counter struct {
	sinks.Discard
	rest      string
	lines     int
	atDisplay int
	wrong     string
}

func (c *counter) Stream(_, text string) {
	text = c.rest + text
	for {
		line, rest, ok := strings.Cut(text, "\n")
		if !ok {
			break
		}
		if line != fmt.Sprintf("%07d", c.lines) && c.wrong == "" {
			c.wrong = line
		}
		c.lines++
		text = rest
	}
	c.rest = text
}

func (c *counter) Display(output.Display) { c.atDisplay = c.lines }

// TestImageDeleted: the image may be deleted while a notebook runs.
func TestImageDeleted(t *testing.T) {
	whole := newTestSession(t).cfg.Image
	copyDir := filepath.Join(t.TempDir(), "images", "k")
	if err := os.CopyFS(copyDir, os.DirFS(whole.Dir)); err != nil {
		t.Fatal(err)
	}
	moved := *whole
	moved.Dir = copyDir
	s, err := New(Config{Image: &moved, ProgressDelay: noProgress})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	execute(t, s, "x := 3")
	if err := os.RemoveAll(copyDir); err != nil {
		t.Fatal(err)
	}
	got := execute(t, s, "x")
	if !strings.Contains(got, "3") && !strings.Contains(got, "restart the kernel") {
		t.Errorf("a cell after the cache was deleted:\n%s", got)
	}
	mustContain(t, execute(t, s, "syscall.Kill(os.Getpid(), syscall.SIGKILL)"), "restart the kernel")
}

// TestReplaced runs another program in the worker's place.
func TestReplaced(t *testing.T) {
	s := newTestSession(t)
	text := execute(t, s, "syscall.Exec(\"/bin/sleep\", []string{\"sleep\", \"60\"}, nil)")
	mustContain(t, text, "sleep took its place, as syscall.Exec does")
	mustContain(t, execute(t, s, "1 + 1"), "2")
}
