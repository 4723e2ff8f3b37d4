package session

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestMemoryOfChildren: the limit includes the memory of programs that cells start.
// The kernel ends the biggest process, and the worker process keeps running.
func TestMemoryOfChildren(t *testing.T) {
	s := newTestSession(t)
	execute(t, s, "%memory 600MB\nkept := 1")
	// The command tail keeps all its input in memory until it is killed.
	got := execute(t, s, `out, err := exec.Command("sh", "-c", "cat /dev/zero | tail -c 900000000 | wc -c").Output()
fmt.Println(string(out), err)`)
	mustContain(t, got, "memory: ", " in use with ", "while Cell [2] runs", "the limit is 600 MB", "(tail), which used ", "was ended", "%memory")
	if got := execute(t, s, "kept"); !strings.Contains(got, "1") {
		t.Errorf("the worker's state: %s", got)
	}
	// Each process of lib/mp has the limit, too.
	got = execute(t, s, `import "github.com/perijove/perijove/lib/mp"
// Linux lets a process map more over what it has reserved; it refuses the next mapping.
func grow(n int) (l [][]byte) { for range n { l = append(l, make([]byte, 10_000_000)) }; return l[:0] }
call, err := mp.Go[[][]byte](context.Background(), mp.Processes, grow, 400)
if err == nil { _, err = call.Result(context.Background()) }
fmt.Println("failed:", err != nil)`)
	mustContain(t, got, "failed: true")
}

// TestMemoryTogether: the worker process alone stays below the limit, but exceeds it together with its child. The
// worker process is the biggest process, so the kernel ends it.
func TestMemoryTogether(t *testing.T) {
	s := newTestSession(t)
	execute(t, s, "%memory 1GB\nlost := 1")
	got := execute(t, s, `mine := bytes.Repeat([]byte{1}, 600_000_000)
exec.Command("sh", "-c", "head -c 550000000 /dev/zero | tail -c 550000000 | (sleep 1000; cat)").Run()
len(mine)`)
	mustContain(t, got, "WorkerDied", "out of memory: 1", "child processes while Cell [2] runs, the limit is 1 GB", "lost (cell 1)")
	mustContain(t, execute(t, s, "%memory"), "limit 1 GB")
}

// TestMemoryOfStarts: between fork and exec a child shares the memory of the worker process, which does not count
// twice.
func TestMemoryOfStarts(t *testing.T) {
	s := newTestSession(t)
	execute(t, s, "%memory 1GB\nmine := bytes.Repeat([]byte{1}, 550_000_000)")
	if got := execute(t, s, "for range 1500 { if err := exec.Command(\"true\").Run(); err != nil { panic(err) } }\nlen(mine)"); got != "[result text/plain]\n550000000\n" {
		t.Error(got)
	}
}

// ring returns source of n functions that call each other in a ring. To compile it, the compiler's inliner needs a lot
// of memory.
func ring(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "func f%d(n int) int { if n == 0 { return 0 }; return f%d(n-1) + 1 }\n", i, (i+1)%n)
	}
	return b.String()
}

// TestMemoryOfCompiler: the limit applies to the compiler, also to one on standby. The worker process keeps running.
func TestMemoryOfCompiler(t *testing.T) {
	s := newTestSession(t)
	execute(t, s, "%memory 400MB\nkept := 1")
	for range 2 {
		// The compiler holds all elements of an initialized array in its memory.
		got := execute(t, s, "var big = [100_000_000]int{99_999_999: 1}")
		// The operating system refuses the compiler memory, or the kernel, which watches its memory, ends it.
		mustContain(t, got, "[error MemoryError]\nthe compiler ran out of memory: compiling this cell t", " the limit", " 400 MB; ", "allow more with %memory")
		if got := execute(t, s, "kept"); got != "[result text/plain]\n1\n" {
			t.Errorf("the next cell: %s", got)
		}
	}
	// Small cells compile even if the limit is lower than the memory that a compiler needs.
	execute(t, s, "%memory 150MB")
	if got := execute(t, s, "import \"net/http\"\nhttp.StatusText(200)"); !strings.Contains(got, `"OK"`) {
		t.Error(got)
	}
}

// TestMemoryBesideCompiler: the limit applies to the sum of the notebook's and the
// compiler's memory, and the kernel ends the compiler.
func TestMemoryBesideCompiler(t *testing.T) {
	s := newTestSession(t)
	execute(t, s, "%memory 900MB\nmine := bytes.Repeat([]byte{1}, 600_000_000)")
	got := execute(t, s, ring(1000))
	mustContain(t, got, "[error MemoryError]\nthe compiler ran out of memory: compiling this cell took ", " in addition to the 6", "MB in use, and the limit is 900 MB; ", "free what is not needed")
	if got := execute(t, s, "len(mine)"); got != "[result text/plain]\n600000000\n" {
		t.Errorf("the next cell: %s", got)
	}
}

// TestInterruptCompiler: an interrupt ends a compiler at any time.
func TestInterruptCompiler(t *testing.T) {
	s := newTestSession(t)
	execute(t, s, "%memory 2GB")
	for range 3 {
		ended := inBackground(t, s, ring(1000))
		eventually(t, "the compiler works", func() bool { return s.program.Load().Compiler.PID() != 0 })
		pid := s.program.Load().Compiler.PID()
		s.Interrupt()
		mustContain(t, ended(), "[error Interrupted]\ninterrupted while compiling")
		if _, err := os.Stat(fmt.Sprint("/proc/", pid)); err == nil {
			t.Errorf("the compiler, process %d, is still there", pid)
		}
	}
}
