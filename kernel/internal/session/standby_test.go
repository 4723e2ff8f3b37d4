package session

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// standbyCell declares the functions that the tests of standby processes call in children.
const standbyCell = `import "github.com/perijove/perijove/lib/mp"

func pid(int) int { return os.Getpid() }

func describe(dir string) string {
	var b strings.Builder
	wd, err := os.Getwd()
	fmt.Fprintln(&b, os.Args, wd, err, runtime.GOMAXPROCS(0), os.Getppid(), syscall.Getpgrp() == os.Getpid(), mp.Tid() == os.Getpid())
	env := os.Environ()
	slices.Sort(env)
	fmt.Fprintln(&b, env)
	for r := range 16 {
		var l syscall.Rlimit
		fmt.Fprint(&b, syscall.Getrlimit(r, &l), l, " ")
	}
	fmt.Fprintln(&b)
	status, err := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		name, _, _ := strings.Cut(line, ":")
		switch name {
		case "Name", "Umask", "SigBlk", "SigIgn", "SigCgt", "CapEff", "Cpus_allowed":
			b.WriteString(line)
		}
	}
	for _, name := range []string{"cmdline", "comm", "oom_score_adj", "cgroup"} {
		text, err := os.ReadFile("/proc/self/" + name)
		fmt.Fprintf(&b, "%q %v\n", text, err)
	}
	files, err := os.ReadDir("/proc/self/fd")
	for _, f := range files {
		to, _ := os.Readlink("/proc/self/fd/" + f.Name())
		flags, _ := os.ReadFile("/proc/self/fdinfo/" + f.Name())
		_, flags, _ = bytes.Cut(flags, []byte("flags:"))
		flags, _, _ = bytes.Cut(flags, []byte("\n"))
		kind, _, _ := strings.Cut(to, "[")
		if n, err := strconv.Atoi(f.Name()); err == nil && n < 6 {
			fmt.Fprintln(&b, f.Name(), kind, string(flags))
		}
	}
	return b.String()
}

func result[R, A any](f func(A) R, arg A, opts ...mp.ProcessOption) R {
	call, err := mp.Go[R](context.Background(), mp.Processes, f, arg, opts...)
	if err != nil {
		panic(err)
	}
	r, err := call.Result(context.Background())
	if err != nil {
		panic(err)
	}
	return r
}

fmt.Println(result(describe, ""))
result(pid, 0)`

// startStandby returns a session in which two children were started, and the text with which the first child describes
// its state. A standby process is ready.
func startStandby(t *testing.T) (s *Session, described string) {
	t.Helper()
	s = newTestSession(t)
	out := execute(t, s, standbyCell)
	described, number, ok := strings.Cut(strings.TrimPrefix(out, "[stdout]\n"), "\n[result text/plain]\n")
	if n, err := strconv.Atoi(strings.TrimSpace(number)); !ok || err != nil || n == awaitStandby(t, s) {
		t.Fatal(out)
	}
	return s, described
}

// awaitStandby waits until a standby process is ready to become a child, and returns its
// process ID.
func awaitStandby(t *testing.T, s *Session) int {
	t.Helper()
	w, err := s.ensureWorker(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "a process waits to become a child", func() bool { return w.Standby() != 0 })
	return w.Standby()
}

// want runs a cell and compares its transcript.
func want(t *testing.T, s *Session, code, shown string) {
	t.Helper()
	if got := execute(t, s, code); got != shown {
		t.Errorf("%s\nshows\n%s\nwant\n%s", code, got, shown)
	}
}

// wantPID runs a cell that starts a child and compares the child's process ID.
func wantPID(t *testing.T, s *Session, pid int) {
	t.Helper()
	want(t, s, "result(pid, 0)", fmt.Sprintf("[result text/plain]\n%d\n", pid))
}

func gone(pid int) bool {
	_, err := os.Stat(fmt.Sprint("/proc/", pid))
	return err != nil
}

// TestStandby: the third child is the standby, a process that was started in advance, and behaves like any other child.
func TestStandby(t *testing.T) {
	s, fresh := startStandby(t)
	pid := awaitStandby(t, s)
	out := execute(t, s, "fmt.Println(result(describe, \"\"))")
	if got := strings.TrimSuffix(strings.TrimPrefix(out, "[stdout]\n"), "\n"); strings.TrimSpace(got) != strings.TrimSpace(fresh) {
		t.Errorf("a child that was started ahead:\n%s\nanother:\n%s", got, fresh)
	}
	eventually(t, "it has ended", func() bool { return gone(pid) })
	for range 3 {
		wantPID(t, s, awaitStandby(t, s))
	}
	// The standby's output, exit code and death are reported like those of any child.
	awaitStandby(t, s)
	want(t, s, `func fails(n int) int { fmt.Println("printed"); os.Exit(n); return 0 }
call, err := mp.Go[int](ctx, mp.Processes, fails, 7)
_, err = call.Result(ctx)
exit, _ := errors.AsType[*mp.ExitError](err)
exit.Code`, "[stdout]\nprinted\n[result text/plain]\n7\n")
	awaitStandby(t, s)
	want(t, s, `func dies(int) int { syscall.Kill(os.Getpid(), syscall.SIGKILL); return 0 }
call, err = mp.Go[int](ctx, mp.Processes, dies, 7)
_, err = call.Result(ctx)
exit, _ = errors.AsType[*mp.ExitError](err)
exit.Signal`, "[result text/plain]\nkilled\n")
	// When several children start at once, one is the standby.
	pid = awaitStandby(t, s)
	want(t, s, fmt.Sprintf(`pids := make([]int, 4)
var wg sync.WaitGroup
for i := range pids { wg.Go(func() { pids[i] = result(pid, 0) }) }
wg.Wait()
slices.Sort(pids)
fmt.Println(len(slices.Compact(slices.Clone(pids))), slices.Contains(pids, %d))`, pid), "[stdout]\n4 true\n")
	// A start with other options does not take the standby. After two such starts the
	// next standby has these options.
	pid = awaitStandby(t, s)
	execute(t, s, "result(pid, 0, mp.Env(\"A=1\"))")
	wantPID(t, s, pid)
	pid = awaitStandby(t, s)
	execute(t, s, "result(pid, 0, mp.Env(\"A=1\"))\nresult(pid, 0, mp.Env(\"A=1\"))")
	eventually(t, "it makes room for another", func() bool { return gone(pid) })
	eventually(t, "a start with these options takes it", func() bool { // the standby may be replaced between the two calls
		pid = awaitStandby(t, s)
		got := execute(t, s, "result(func(int) string { return fmt.Sprint(os.Getenv(\"A\"), os.Getpid()) }, 0, mp.Env(\"A=1\"))")
		return got == fmt.Sprintf("[result text/plain]\n\"1%d\"\n", pid)
	})
}

// TestStandbyChanges: a standby sees changes that cells make after it was started.
func TestStandbyChanges(t *testing.T) {
	s, _ := startStandby(t)
	awaitStandby(t, s)
	want(t, s, "func number(int) int { return 1 }\ntype pair struct{ A, B int }\nfunc both(p pair) int { return p.A + p.B }", "")
	pid := awaitStandby(t, s)
	want(t, s, "func number(int) int { return os.Getpid() + 1000000 }\nresult(number, 0)", fmt.Sprintf("[result text/plain]\n%d\n", pid+1000000))
	awaitStandby(t, s)
	want(t, s, "type pair struct{ A, B, C int }\nfunc both(p pair) int { return p.A + p.B + p.C }\nresult(both, pair{1, 2, 3})", "[result text/plain]\n6\n")

	dir := t.TempDir()
	awaitStandby(t, s)
	want(t, s, fmt.Sprintf("func where(int) string { d, err := os.Getwd(); return fmt.Sprintln(d, err, os.Getpid()) }\nos.Chdir(%q)", dir), "")
	pid = awaitStandby(t, s)
	want(t, s, "fmt.Print(result(where, 0))", fmt.Sprintf("[stdout]\n%s <nil> %d\n", dir, pid))

	for _, c := range []struct{ name, change, function, shown string }{
		{"environment", `os.Setenv("STANDBY_TEST", "new")`, `os.Getenv("STANDBY_TEST")`, "new"},
		{"umask", `syscall.Umask(0o027)`, `m := syscall.Umask(0); return fmt.Sprintf("%o", m)`, "27"},
		{"limit", `syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{})`, `var l syscall.Rlimit; syscall.Getrlimit(syscall.RLIMIT_CORE, &l); return fmt.Sprint(l)`, "{0 0}"},
		{"signal", `signal.Ignore(syscall.SIGHUP)`, `return fmt.Sprint(signal.Ignored(syscall.SIGHUP))`, "true"},
		{"file", `inherited, _ := syscall.Open("/dev/zero", syscall.O_RDONLY, 0)`, `f, err := os.Readlink("/proc/self/fd/" + arg); return fmt.Sprint(f, err)`, "/dev/zero<nil>"},
	} {
		old := awaitStandby(t, s)
		body := c.function
		if !strings.Contains(body, "return") {
			body = "return " + body
		}
		arg := `""`
		if c.name == "file" {
			arg = "strconv.Itoa(inherited)"
		}
		execute(t, s, fmt.Sprintf("func shows%s(arg string) string { %s }\n%s\nvar _ = 0", c.name, body, c.change))
		want(t, s, fmt.Sprintf("fmt.Println(result(shows%s, %s))", c.name, arg), "[stdout]\n"+c.shown+"\n")
		eventually(t, "the process that was started before "+c.name+" changed is gone", func() bool { return gone(old) })
	}
}

// TestStandbyEnds kills and stops standbys, and interrupts and restarts the worker process while a standby waits.
func TestStandbyEnds(t *testing.T) {
	s, _ := startStandby(t)
	for _, sig := range []unix.Signal{unix.SIGKILL, unix.SIGSTOP} {
		pid := awaitStandby(t, s)
		if err := unix.Kill(pid, sig); err != nil {
			t.Fatal(err)
		}
		if out := execute(t, s, "result(pid, 0)"); !strings.HasPrefix(out, "[result text/plain]\n") || strings.Contains(out, strconv.Itoa(pid)) {
			t.Errorf("after %v of process %d: %s", sig, pid, out)
		}
		eventually(t, "it is gone", func() bool { return gone(pid) })
	}
	// An interrupt does not end the standby.
	pid := awaitStandby(t, s)
	ended := inBackground(t, s, "select {}")
	s.Interrupt()
	mustContain(t, ended(), "[error Interrupted]")
	// The standby does not prevent the detection of a deadlock, and a deadlock does not end the standby.
	mustContain(t, execute(t, s, "<-make(chan int)"), "[error Deadlock")
	wantPID(t, s, pid)
	pid = awaitStandby(t, s)
	execute(t, s, "%restart")
	eventually(t, "it is gone with its worker", func() bool { return gone(pid) })
	execute(t, s, standbyCell)
	pid = awaitStandby(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is gone with the session", func() bool { return gone(pid) })
}

// TestStandbyMemory: a standby's memory does not count as the cell's, and the kernel ends the standby before the limit
// is reached.
func TestStandbyMemory(t *testing.T) {
	s, _ := startStandby(t)
	awaitStandby(t, s)
	eventually(t, "%memory counts no child, as the one whose result was had has ended", func() bool {
		return !strings.Contains(execute(t, s, "%memory"), "child process")
	})
	execute(t, s, "%memory 1GB")
	execute(t, s, "result(pid, 0)")
	pid := awaitStandby(t, s)
	out := execute(t, s, "kept := bytes.Repeat([]byte{1}, 850_000_000)\n"+
		"for { if _, err := os.Stat(\"/proc/"+strconv.Itoa(pid)+"\"); err != nil { break }; time.Sleep(time.Millisecond) }\nlen(kept)")
	if !strings.HasSuffix(out, "[result text/plain]\n850000000\n") || !gone(pid) {
		t.Errorf("process %d waits, or the cell ends otherwise: %s", pid, out)
	}
}

// TestStandbyInitializers: a standby has not initialized packages whose initialization
// may have effects outside the process. The output of other initializers appears in the cell that starts the child.
func TestStandbyInitializers(t *testing.T) {
	s, _ := startStandby(t)
	for name, text := range map[string]string{
		"go.mod":           "module example.com/x\n\ngo 1.26\n",
		"counts/counts.go": "package counts\n\nimport \"os\"\n\nfunc init() {\n\tf, err := os.OpenFile(\"inits\", os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)\n\tif err != nil {\n\t\tpanic(err)\n\t}\n\tf.WriteString(\"x\")\n\tf.Close()\n}\n\nfunc F(n int) int { return n }\n",
	} {
		writeFile(t, filepath.Join(s.cfg.Dir, name), []byte(text))
	}
	inits := func() int {
		b, err := os.ReadFile(filepath.Join(s.cfg.Dir, "inits"))
		if err != nil {
			t.Fatal(err)
		}
		return len(b)
	}
	mustContain(t, execute(t, s, "import \"example.com/x/counts\"\ncounts.F(1)"), "[result text/plain]\n1\n")
	for n := 1; n < 4; n++ {
		pid := awaitStandby(t, s)
		// Once the cell has ended, the standby loads the code of the cells in advance.
		execute(t, s, "time.Sleep(time.Millisecond)")
		if got := inits(); got != n {
			t.Errorf("%d initializations, want %d", got, n)
		}
		wantPID(t, s, pid)
	}
	want(t, s, "func explode(n int) int { return 1 / n }\nvar zero = 1 - 1", "")
	execute(t, s, "boom := explode(zero)")
	awaitStandby(t, s)
	mustContain(t, execute(t, s, "result(pid, 0)"), "[stderr]\nmp: a variable has no initial value in a child process, since its initializer panicked")
}
