package main

import (
	"fmt"
	"strconv"
	"strings"
)

// A soakCell is a kind of cell of the soak test.
type soakCell struct {
	name   string
	weight int
	step   func(s *soak, n int) error
}

// want is the expected result of a cell. Empty fields are not checked, except stdout, which
// must be equal.
type want struct {
	ename, evalue  string // of the error; ename is empty if the cell succeeds
	stdout, result string
	stderr         string // a part of the text
	displays       int
}

func (w want) check(got cellResult) error {
	status := "ok"
	if w.ename != "" {
		status = "error"
	}
	stdout := got.stdout
	switch {
	case got.status != status, got.ename != w.ename, !strings.Contains(got.evalue, w.evalue):
		return fmt.Errorf("it ended with %s %s %q, not with %s %q; stderr: %.300s", got.status, got.ename, got.evalue, w.ename, w.evalue, got.stderr)
	case stdout != w.stdout:
		return fmt.Errorf("%d bytes on stdout, not %d: %.200q, not %.200q", len(stdout), len(w.stdout), stdout, w.stdout)
	case w.result != "" && got.result != w.result:
		return fmt.Errorf("result %q, not %q", got.result, w.result)
	case !strings.Contains(got.stderr, w.stderr):
		return fmt.Errorf("stderr %q, without %q", got.stderr, w.stderr)
	case got.displays != w.displays:
		return fmt.Errorf("%d displays, not %d", got.displays, w.displays)
	}
	return nil
}

// soakSetup has the declarations that the cells use. It runs again after each death of the worker
// process.
const soakSetup = `import "github.com/perijove/perijove/lib/mp"
import "github.com/perijove/perijove/lib/display"
total := 0
gate := make(chan int)
func f() int { return 0 }
func g() int { return f() }
type R struct{ n int }
func (r R) Name() string { return "setup" }
func soakChild(n int) int { fmt.Println("child", n); return n + 1 }
func number() string { // of the calling goroutine
	b := make([]byte, 30)
	name, _, _ := strings.Cut(string(b[:runtime.Stack(b, false)]), "[")
	return name
}
func gone(number string) { // waits until that goroutine has ended, with what it reports
	all := make([]byte, 1<<18)
	for strings.Contains(string(all[:runtime.Stack(all, true)]), number+"[") { time.Sleep(time.Millisecond) }
}
`

func (s *soak) cell(code string, w want) error { return s.run(cellRun{code: code}, w) }

// choose returns a random element of list: code and its expected text.
func (s *soak) choose(list [][2]string) (code, text string) {
	c := list[s.rng.IntN(len(list))]
	return c[0], c[1]
}

// soakCells are the kinds of cells that leave the worker process alive.
var soakCells = []soakCell{
	{"plain", 20, func(s *soak, n int) error {
		s.total += n
		return s.cell(fmt.Sprintf("total += %d\nfmt.Println(\"total\", total)", n), want{stdout: fmt.Sprintln("total", s.total)})
	}},
	{"result", 10, func(s *soak, n int) error {
		return s.cell(fmt.Sprintf("total + %d", n), want{result: strconv.Itoa(s.total + n)})
	}},
	{"redefined function", 8, func(s *soak, n int) error {
		return s.cell(fmt.Sprintf("func f() int { return %d }\nfmt.Println(f(), g())", n), want{stdout: fmt.Sprintln(n, n)})
	}},
	{"redefined type", 5, func(s *soak, n int) error {
		return s.cell(fmt.Sprintf("type T struct{ F%d int }\nt := T{%d}\nfmt.Printf(\"%%+v\\n\", t)", n, n), want{stdout: fmt.Sprintf("{F%d:%d}\n", n, n)})
	}},
	{"redefined method", 5, func(s *soak, n int) error {
		return s.cell(fmt.Sprintf("func (r R) Name() string { return \"%d\" }\nfmt.Println(R{}.Name())", n), want{stdout: fmt.Sprintln(n)})
	}},
	{"mistake", 12, func(s *soak, n int) error {
		code, text := s.choose([][2]string{
			{"var x int = \"text\"", "cannot use"}, {"undefinedName + 1", "undefined"}, {"for {", "missing }"},
			{"func f() int { }", "missing return"}, {"total := \"now text", "not terminated"}, {"import \"no/such/package\"", "no/such/package"},
		})
		return s.cell(code, want{ename: "CompileError", evalue: text})
	}},
	{"directive mistake", 1, func(s *soak, n int) error {
		return s.cell("%nosuch", want{ename: "DirectiveError"})
	}},
	{"panic", 10, func(s *soak, n int) error {
		code, text := s.choose([][2]string{
			{fmt.Sprintf("panic(\"soak %d\")", n), fmt.Sprint("soak ", n)}, {"var none []int; none[total%1]", "index out of range"},
			{"var m map[string]int; m[\"x\"] = 1", "nil map"}, {"var p *R; p.n = 1", "nil pointer"}, {"zero := 0; 1 / zero", "divide by zero"},
		})
		return s.cell(code, want{ename: "panic", evalue: text})
	}},
	{"panic in a goroutine", 3, func(s *soak, n int) error {
		return s.cell(fmt.Sprintf("begun := make(chan string)\ngo func() { begun <- number(); panic(\"beside %d\") }()\ngone(<-begun)", n),
			want{ename: "panic", evalue: fmt.Sprintf("beside %d, in the goroutine started at", n)})
	}},
	{"exit", 4, func(s *soak, n int) error {
		code, text := s.choose([][2]string{{"os.Exit(0)", ""}, {"os.Exit(3)", "exit status 3"}, {"runtime.Goexit()", ""}, {"log.Fatal(\"soak\")", "exit status 1"}})
		w := want{evalue: text}
		if text != "" {
			w.ename = "Exit"
		}
		return s.cell(code, w)
	}},
	{"interrupted loop", 5, func(s *soak, n int) error {
		code, _ := s.choose([][2]string{{"for {}"}, {"for i := 0; ; i++ { _ = strconv.Itoa(i) }"}, {"for { total++; total-- }"}, {"func() { defer fmt.Print(); for {} }()"}})
		return s.run(cellRun{code: "fmt.Println(\"begun\")\n" + code, interruptAfter: "begun"}, want{ename: "Interrupted", stdout: "begun\n"})
	}},
	{"interrupted wait", 1, func(s *soak, n int) error {
		if err := s.run(cellRun{code: "fmt.Println(\"begun\")\n<-gate", interruptAfter: "begun"}, want{ename: "Interrupted", stdout: "begun\n"}); err != nil {
			return err
		}
		return s.cell("close(gate)\ngate = make(chan int)", want{})
	}},
	{"interrupted compiler", 2, func(s *soak, n int) error {
		// The interrupt may come before, during or after the cell. Only the next cell must work.
		_, err := s.execute(cellRun{code: "\"never\"", interruptAfter: ""})
		if err != nil {
			return err
		}
		_, err = s.ask("control", "interrupt_request", "{}")
		return err
	}},
	{"many lines", 4, func(s *soak, n int) error {
		return s.cell("for i := range 3000 { fmt.Println(i) }", want{stdout: numbers(3000)})
	}},
	{"much", 2, func(s *soak, n int) error {
		code := "w := bufio.NewWriterSize(os.Stdout, 1<<16)\nfor i := range 300_000 { fmt.Fprintln(w, i) }\nw.Flush()"
		return s.cell(code, want{stdout: numbers(300_000)})
	}},
	{"long line", 1, func(s *soak, n int) error {
		return s.cell("fmt.Print(strings.Repeat(\"é\", 1_000_000))", want{stdout: strings.Repeat("é", 1_000_000)})
	}},
	{"both streams", 3, func(s *soak, n int) error {
		return s.cell(fmt.Sprintf("for i := range 50 { fmt.Println(i); fmt.Fprintln(os.Stderr, \"err %d\", i) }", n), want{stdout: numbers(50), stderr: fmt.Sprintf("err %d 49\n", n)})
	}},
	{"goroutines", 8, func(s *soak, n int) error {
		return s.cell("var wg sync.WaitGroup\nvar sum atomic.Int64\nfor i := range 100 { wg.Go(func() { sum.Add(int64(i)) }) }\nwg.Wait()\nsum.Load()", want{result: "4950"})
	}},
	{"late goroutine", 5, func(s *soak, n int) error {
		return s.late(fmt.Sprintf("go func() { time.Sleep(%d * time.Millisecond); fmt.Println(\"late %d\") }()", s.rng.IntN(40), n), fmt.Sprintln("late", n))
	}},
	{"timer", 3, func(s *soak, n int) error {
		return s.late(fmt.Sprintf("time.AfterFunc(5*time.Millisecond, func() { fmt.Println(\"late timer %d\") });", n), fmt.Sprintln("late timer", n))
	}},
	{"child", 5, func(s *soak, n int) error {
		code := "c := exec.Command(\"sh\", \"-c\", \"echo child %d\")\nc.Stdout = os.Stdout\nc.Run()"
		return s.cell(fmt.Sprintf(code, n), want{stdout: fmt.Sprintln("child", n)})
	}},
	{"child's output", 3, func(s *soak, n int) error {
		return s.cell(fmt.Sprintf("out, err := exec.Command(\"echo\", \"%d\").Output()\nfmt.Print(string(out), err, \"\\n\")", n), want{stdout: fmt.Sprintf("%d\n<nil>\n", n)})
	}},
	{"late child", 3, func(s *soak, n int) error {
		code := "{ c := exec.Command(\"sh\", \"-c\", \"sleep 0.02; echo late child %d\")\nc.Stdout = os.Stdout\nc.Start()\ngo c.Wait() }"
		return s.late(fmt.Sprintf(code, n), fmt.Sprintln("late child", n))
	}},
	{"process of the library", 2, func(s *soak, n int) error {
		code := "call, err := mp.Go[int](context.Background(), mp.Processes, soakChild, %d)\nif err != nil { panic(err) }\ngot, err := call.Result(context.Background())\nfmt.Println(got, err)"
		return s.cell(fmt.Sprintf(code, n), want{stdout: fmt.Sprintf("child %d\n%d <nil>\n", n, n+1)})
	}},
	{"files", 3, func(s *soak, n int) error {
		code := "os.WriteFile(\"f%d\", []byte(\"text\"), 0o600)\nfile, err := os.Open(\"f%d\")\nif err != nil { panic(err) }\nb, err := io.ReadAll(file)\nfile.Close()\nos.Remove(file.Name())\nfmt.Println(string(b), err)"
		return s.cell(fmt.Sprintf(code, n, n), want{stdout: "text <nil>\n"})
	}},
	{"displays", 4, func(s *soak, n int) error {
		return s.cell("for i := range 5 { fmt.Println(i); display.HTML(\"<b>b</b>\") }", want{stdout: numbers(5), displays: 5})
	}},
	{"input", 2, func(s *soak, n int) error {
		return s.run(cellRun{code: "var name string\nfmt.Scanln(&name)\nfmt.Println(\"hello\", name)", answer: fmt.Sprint("name", n)}, want{stdout: fmt.Sprintf("hello name%d\n", n)})
	}},
	{"silent", 2, func(s *soak, n int) error {
		s.total++
		return s.run(cellRun{code: "total++; fmt.Println(\"unheard\")", silent: true}, want{})
	}},
	{"shell", 2, func(s *soak, n int) error {
		return s.cell(fmt.Sprintf("!echo shell %d", n), want{stdout: fmt.Sprintln("shell", n)})
	}},
	{"environment", 2, func(s *soak, n int) error {
		return s.cell(fmt.Sprintf("%%env SOAK=%d\nfmt.Println(os.Getenv(\"SOAK\"))", n), want{stdout: fmt.Sprintln(n)})
	}},
	{"forget a name", 2, func(s *soak, n int) error {
		if err := s.cell(fmt.Sprintf("var passing%d = 1", n), want{}); err != nil {
			return err
		}
		return s.cell(fmt.Sprintf("%%rm passing%d", n), want{})
	}},
	{"requests", 5, (*soak).requests},
	{"front end that comes and goes", 1, func(s *soak, n int) error {
		s.dial().Close()
		return nil
	}},
}

// deadlyCells are the kinds of cells that end the worker process.
var deadlyCells = []soakCell{
	{"killed", 3, func(s *soak, n int) error {
		return s.deadly("syscall.Kill(os.Getpid(), syscall.SIGKILL)\nselect {}", "signal 9")
	}},
	{"unlock", 2, func(s *soak, n int) error { return s.deadly("var mu sync.Mutex; mu.Unlock()", "unlock of unlocked") }},
	{"map writes", 1, func(s *soak, n int) error {
		return s.deadly("runtime.GOMAXPROCS(max(2, runtime.NumCPU()))\nm := map[int]int{}\nfor range 4 { go func() { for i := 0; ; i++ { m[i%1000] = i } }() }\nselect {}", "concurrent map")
	}},
	{"stack", 1, func(s *soak, n int) error {
		return s.deadly("debug.SetMaxStack(1 << 20)\nfunc deep(n int) int { return deep(n+1) + 1 }\ndeep(0)", "stack")
	}},
	{"bad pointer", 1, func(s *soak, n int) error {
		return s.deadly("addr := uintptr(1 << 40)\n*(*int)(unsafe.Pointer(addr))", "fault")
	}},
	{"after the cell", 1, func(s *soak, n int) error {
		if err := s.cell("go func() { time.Sleep(5 * time.Millisecond); syscall.Kill(os.Getpid(), syscall.SIGKILL) }()", want{}); err != nil {
			return err
		}
		old := s.worker
		eventually(s.t, "the worker's death", func() bool { return openFiles(old) == 0 })
		got, err := s.execute(cellRun{code: "fmt.Println(\"next\")"})
		if err != nil {
			return err
		}
		// The kernel may notice the death only while it compiles.
		if !strings.Contains(got.stderr, "died after the last cell") && got.ename != "WorkerDied" {
			return fmt.Errorf("the death between cells goes unnoticed: %+v", got)
		}
		return s.reborn()
	}},
}

// deadly runs a cell that ends the worker process, and checks that the next cell works.
func (s *soak) deadly(code, cause string) error {
	if err := s.cell(code, want{ename: "WorkerDied", evalue: cause}); err != nil {
		return err
	}
	return s.reborn()
}

// requests sends requests of other types than execute_request.
func (s *soak) requests(n int) error {
	for _, r := range []struct{ channel, kind, content, want string }{
		{"shell", "complete_request", `{"code":"tot","cursor_pos":3}`, `"total"`},
		{"shell", "inspect_request", `{"code":"strings.ToUpper","cursor_pos":10,"detail_level":0}`, `"found":true`},
		{"shell", "is_complete_request", `{"code":"for {"}`, `"incomplete"`},
		{"shell", "comm_info_request", `{}`, `"comms"`},
		{"shell", "history_request", `{"hist_access_type":"tail","n":3,"output":false,"raw":true}`, `"history"`},
		{"shell", "no_such_request", `{}`, ``},
		{"control", "kernel_info_request", `{}`, `"perijove"`},
		{"control", "usage_request", `{}`, `"kernel_memory":`},
		{"control", "debug_request", `{"type":"request","seq":1,"command":"debugInfo"}`, `"status":"error"`},
	} {
		got, err := s.ask(r.channel, r.kind, r.content)
		if err != nil {
			return fmt.Errorf("%s: %w", r.kind, err)
		}
		if !strings.Contains(got, r.want) {
			return fmt.Errorf("%s: %.300s", r.kind, got)
		}
	}
	return nil
}

// numbers returns the numbers below n, one in each line.
func numbers(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strconv.Itoa(i))
		b.WriteByte('\n')
	}
	return b.String()
}
