package session

import (
	"bufio"
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
	"github.com/perijove/perijove/kernel/internal/scratch"
)

func countFDs(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// TestNoLeaks: fifty deaths of the worker process leave no goroutine, open file or process behind.
func TestNoLeaks(t *testing.T) {
	s := newTestSession(t)
	execute(t, s, "1")
	ahead := func() { // so that both counts include the compilers for the next cell
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
	eventually(t, "no other child than the worker and two compilers", func() bool { return len(childrenOf(t, os.Getpid())) == 3 })
}

// TestCompilersForNext: after a cell, a compiler of each kind waits for the next one.
func TestCompilersForNext(t *testing.T) {
	s := newTestSession(t)
	for range 2 {
		execute(t, s, "1")
		eventually(t, "the worker and two compilers", func() bool { return len(childrenOf(t, os.Getpid())) == 3 })
	}
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

// family is a cell that starts child processes of every kind. Its result has their process IDs and that of the worker
// process.
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
	folders := []string{s.scratch.Path, s.objects.Sub("more")}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	for _, pid := range pids {
		eventually(t, fmt.Sprintf("the end of %d", pid), func() bool { return !alive(pid) })
	}
	for _, dir := range folders {
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%s is still there", dir)
		}
	}
}

const kernelEnv = "PERIJOVE_TEST_KERNEL"

// TestKernelHelper is the kernel that TestKilledKernel kills.
func TestKernelHelper(t *testing.T) {
	if os.Getenv(kernelEnv) == "" {
		return // this is not the process that TestKilledKernel starts
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
	fmt.Println("scratch", s.scratch.Path)
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
	var text, dead string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		text += lines.Text() + "\n"
		var ok bool
		if dead, ok = strings.CutPrefix(lines.Text(), "scratch "); ok {
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
	if _, err := os.Stat(dead); err != nil {
		t.Fatalf("the killed kernel's folder: %v", err)
	}
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(dead, old, old); err != nil {
		t.Fatal(err)
	}
	live, err := scratch.New(tmp)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dead); err == nil {
		t.Error("a dead kernel's folder stays")
	}
	if err := live.Remove(); err != nil {
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
