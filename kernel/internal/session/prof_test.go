package session

import (
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/pprof/profile"

	"github.com/perijove/perijove/kernel/internal/cellprofile"
)

// TestProfileShare checks the share of a function that does three quarters of the work, by the number of its iterations.
// The cell computes for a processor time, so that a busy machine does not reduce the number of samples.
func TestProfileShare(t *testing.T) {
	s := newTestSession(t)
	execute(t, s, "import \"syscall\"\n//go:noinline\nfunc hot(n int) (x int) {\n\tfor i := range n {\n\t\tx += i*i ^ x\n\t}\n\treturn x\n}\n\n//go:noinline\n"+
		"func cold(n int) (x int) {\n\tfor i := range n {\n\t\tx += i*i ^ x\n\t}\n\treturn x\n}\n"+
		"func used() time.Duration {\n\tvar r syscall.Rusage\n\tsyscall.Getrusage(syscall.RUSAGE_SELF, &r)\n\treturn time.Duration(r.Utime.Nano())\n}\n"+
		"func rounds(least time.Duration) (x int) {\n\tfor begin := used(); used()-begin < least; {\n\t\tx += hot(150_000_000) + cold(50_000_000)\n\t}\n\treturn x\n}")
	got := execute(t, s, "%%prof cpu -o cpu.prof\nrounds(3*time.Second);")
	mustContain(t, got, "[display image/svg+xml]", "<title>main.hot: ", "main.rounds", "line of Cell [2]", "2  rounds(3*time.Second)", "line of Cell [1]", "5  \t\tx += i*i ^ x")
	if !regexp.MustCompile(`function, highest own share first\n.* main\.hot\n.* main\.cold\n`).MatchString(got) {
		t.Errorf("hot and cold are not the first two functions:\n%s", got)
	}
	kind, err := cellprofile.KindOf("cpu")
	if err != nil {
		t.Fatal(err)
	}
	p := savedProfile(t, kind, filepath.Join(s.cfg.Dir, "cpu.prof"))
	hot, _ := p.Share("main.hot")
	cold, _ := p.Share("main.cold")
	if share := hot / (hot + cold); math.Abs(share-0.75) > 0.05 {
		t.Errorf("hot has %.3f of the time, cold %.3f; the share of hot is %.3f, want 0.75", hot, cold, share)
	}
	if _, total := p.Share("main.rounds"); total < hot+cold-1e-9 { // each share is rounded to a float64
		t.Errorf("rounds has %v with what it calls, which has %v", total, hot+cold)
	}
}

// savedProfile reads the file of -o.
func savedProfile(t *testing.T, kind cellprofile.Kind, name string) *cellprofile.Profile {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	raw, err := profile.Parse(f)
	if err != nil {
		t.Fatal(err)
	}
	p, err := cellprofile.New(kind, raw, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestProfiledChildren checks the share of a function that does three quarters of the work of four children: two
// workers of a pool that an earlier cell started, and two children that the cell starts. A fifth child is killed.
func TestProfiledChildren(t *testing.T) {
	s := newTestSession(t)
	execute(t, s, "import (\n\t\"syscall\"\n\t\"github.com/perijove/perijove/lib/mp\"\n)\n//go:noinline\nfunc hot(n int) (x int) {\n\tfor i := range n {\n\t\tx += i*i ^ x\n\t}\n\treturn x\n}\n\n//go:noinline\n"+
		"func cold(n int) (x int) {\n\tfor i := range n {\n\t\tx += i*i ^ x\n\t}\n\treturn x\n}\n"+
		"func used() time.Duration {\n\tvar r syscall.Rusage\n\tsyscall.Getrusage(syscall.RUSAGE_SELF, &r)\n\treturn time.Duration(r.Utime.Nano())\n}\n"+
		"func rounds(ms int) (x int) {\n\tfor begin := used(); used()-begin < time.Duration(ms)*time.Millisecond; {\n\t\tx += hot(150_000_000) + cold(50_000_000)\n\t}\n\treturn x\n}\n"+
		"func die(int) int {\n\tsyscall.Kill(os.Getpid(), syscall.SIGKILL)\n\tselect {}\n}\n"+
		"pool, err := mp.NewPool(mp.Processes, mp.Workers(2))\nmp.Map[int](ctx, pool, rounds, []int{0, 0})")
	got := execute(t, s, "%%prof cpu -o cpu.prof\na, _ := mp.Go[int](ctx, mp.Processes, rounds, 800)\nb, _ := mp.Go[int](ctx, mp.Processes, rounds, 800)\nc, _ := mp.Go[int](ctx, mp.Processes, die, 0)\n"+
		"mp.Map[int](ctx, pool, rounds, []int{400, 400, 400, 400})\na.Result(ctx)\nb.Result(ctx)\nc.Result(ctx)\nnil")
	mustContain(t, got, "[display image/svg+xml]", "<title>main.hot: ", "<title>child ", " is missing: the process ended before it wrote its profile\n", "main.rounds")
	if !regexp.MustCompile(` in [45] processes\n`).MatchString(got) { // one worker of the pool may do all its tasks
		t.Errorf("the number of processes:\n%s", got)
	}
	for _, hidden := range []string{"kernel/internal/", "lib/mp/internal/profiling", "(*Entry).run"} {
		if strings.Contains(got, hidden) {
			t.Errorf("the profile has %s:\n%s", hidden, got)
		}
	}
	kind, err := cellprofile.KindOf("cpu")
	if err != nil {
		t.Fatal(err)
	}
	p := savedProfile(t, kind, filepath.Join(s.cfg.Dir, "cpu.prof"))
	hot, _ := p.Share("main.hot")
	cold, _ := p.Share("main.cold")
	if share := hot / (hot + cold); math.Abs(share-0.75) > 0.05 {
		t.Errorf("hot has %.3f of the time of all processes, cold %.3f; the share of hot is %.3f, want 0.75", hot, cold, share)
	}
	got = execute(t, s, "%%prof mem\nkept := make([]byte, 1<<24)\nlen(kept)")
	if mustContain(t, got, "allocated memory: "); strings.Contains(got, "process") {
		t.Errorf("a cell without children has processes:\n%s", got)
	}
}

// TestProfileKinds checks that profiles of memory, of waiting and of goroutines contain what the cell does, and nothing
// that the worker process does for itself.
func TestProfileKinds(t *testing.T) {
	s := newTestSession(t)
	execute(t, s, "var kept [][]byte\nvar mu sync.Mutex\nfunc allocate() { for range 64 { kept = append(kept, make([]byte, 1<<20)) } }\n"+
		"func wait(c chan int) { <-c }\n//go:noinline\nfunc release() { mu.Unlock() }\nblock := make(chan int)")
	for _, test := range []struct{ cell, want string }{
		{"%%prof mem\nallocate()", "main.allocate"},
		{"%%prof goroutine\ngo wait(block)\nfor range 3 { runtime.Gosched() }", "main.wait"},
		{"%%prof block\ngo func() { time.Sleep(20*time.Millisecond); block <- 1; block <- 1 }()\nwait(block)", "main.wait"},
		{"%%prof mutex\nmu.Lock()\nwaiting := make(chan int)\ngo func() { close(waiting); mu.Lock(); mu.Unlock() }()\n<-waiting\ntime.Sleep(50*time.Millisecond)\nrelease()", "main.release"},
	} {
		got := execute(t, s, test.cell)
		mustContain(t, got, "[display image/svg+xml]", test.want)
		if strings.Contains(got, "kernel/internal/") || strings.Contains(got, "cell.0") {
			t.Errorf("the profile of %s has parts of the kernel:\n%s", test.cell, got)
		}
	}
}

// TestProfiledCell checks that results, variables, errors and the list of declarations are those of the cell without a profile.
func TestProfiledCell(t *testing.T) {
	s := newTestSession(t)
	mustContain(t, execute(t, s, "%%prof mutex\nx := 3\nx + 1"), "[result text/plain]\n4\n", "time that other goroutines waited for a lock: 0s")
	mustContain(t, execute(t, s, "%%prof\npanic(x)"), "processor time: ", "panic: int(3)\nCell [2] line 2, in the cell")
	mustContain(t, execute(t, s, "%%prof -o no/such/folder\nx++"), "processor time: ", "the profile cannot be written to the file: open ")
	got := execute(t, s, "%list")
	if mustContain(t, got, "x"); strings.Contains(got, "pprof") || strings.Contains(got, "import") {
		t.Errorf("declarations of the profiler are listed:\n%s", got)
	}
	mustContain(t, interruptAfter(t, s, "busy", "%%prof\nfmt.Println(\"busy\")\nfor {\n}").text(), "processor time: ", "[error Interrupted]")
	mustContain(t, execute(t, s, "%%prof\nvar y = x * 2\ny"), "[result text/plain]\n8\n", "processor time: ")
	got = execute(t, s, "%%prof\nsyscall.Kill(os.Getpid(), syscall.SIGKILL)\nselect {}")
	mustContain(t, got, "[error WorkerDied]", "there is no profile: the process that runs the cells ended before it wrote one")
	mustContain(t, execute(t, s, "%%prof\n1"), "[result text/plain]\n1\n", "processor time: ")
}
