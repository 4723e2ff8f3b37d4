package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// waiting is a function whose tasks last until their context ends. Each task writes a file
// when it begins, and another with the cause when its context has ended.
const waiting = `
func wait(ctx context.Context, file string) (int, error) {
	if err := os.WriteFile(file+".begun", nil, 0o600); err != nil {
		return 0, err
	}
	fmt.Println("a task waits")
	<-ctx.Done()
	return 0, os.WriteFile(file+".ended", []byte(context.Cause(ctx).Error()), 0o600)
}`

// interruptWorkerProgram sends an interrupt_request to a kernel while a worker program runs
// tasks of the cell. dir is the folder of the notebook's module.
func interruptWorkerProgram(t *testing.T, dir, url string) {
	k, files := startReal(t), t.TempDir()
	run := func(c cellRun) cellResult {
		t.Helper()
		got, err := k.execute(c)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	open := fmt.Sprintf(`c, err := cluster.Open(ctx, cluster.URL(%q), cluster.Token("secret"), cluster.WorkerTimeout(5*time.Minute))
if err != nil {
	panic(err)
}
pool, err := c.Pool()
if err != nil {
	panic(err)
}
var files []string
for i := range 20 {
	files = append(files, fmt.Sprintf("%%s/%%d", %q, i))
}`, url, files)
	for _, code := range []string{"%cd " + dir, declarations, open} {
		if got := run(cellRun{code: code}); got.status != "ok" {
			t.Fatalf("%s: %+v", code, got)
		}
	}
	got := run(cellRun{code: "mp.Map[int](ctx, pool, wait, files)", interruptAfter: "a task waits"})
	if got.ename != "Interrupted" {
		t.Errorf("the interrupted cell: %+v", got)
	}
	begun := 0
	eventually(t, "the end of all tasks that have begun", func() bool {
		begin, err := filepath.Glob(filepath.Join(files, "*.begun"))
		if err != nil {
			t.Fatal(err)
		}
		begun = len(begin)
		for _, file := range begin {
			text, err := os.ReadFile(strings.TrimSuffix(file, "begun") + "ended")
			if err != nil || string(text) != "context canceled" {
				return false
			}
		}
		return true
	})
	if begun == 0 || begun > 10 { // 2, and those that begin at the moment of the interrupt
		t.Errorf("%d of 20 tasks have begun in 2 workers", begun)
	}
	if got := run(cellRun{code: "fmt.Println(mp.Map[int](ctx, pool, double, []int{1, 2, 3}))"}); got.stdout != "[2 4 6] <nil>\n" {
		t.Errorf("after the interrupt: %+v", got)
	}
	run(cellRun{code: "c.Close()"})
}

// TestJobAfterRestart starts a job whose server has a folder, and executes %restart when some
// of its tasks have ended. Then the cells that start the job run again, and the other tasks
// end.
func TestJobAfterRestart(t *testing.T) {
	k, dir := startReal(t), t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	run := func(code, want string) {
		t.Helper()
		got, err := k.execute(cellRun{code: code})
		if err != nil || got.status != "ok" || got.stdout != want {
			t.Fatalf("%s: %+v, %v; want %q", code, got, err, want)
		}
	}
	// The first five tasks end at once, and the others when the file "go" exists.
	run(fmt.Sprintf(`import "github.com/perijove/perijove/lib/cluster"

const folder = %q

func triple(n int) (int, error) {
	for n >= 5 {
		if _, err := os.Stat(folder + "/go"); err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	f, err := os.OpenFile(folder+"/log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	_, err = fmt.Fprintln(f, n)
	return 3 * n, err
}`, dir), "")
	start := `c, err := cluster.Open(ctx, cluster.Folder(folder + "/store"))
if err == nil {
	err = c.Workers(1)
}
if err != nil {
	panic(err)
}
job, err := cluster.StartJob[int](ctx, c, "triples", triple, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9})
if err != nil {
	panic(err)
}`
	run(start, "")
	run(`for done := 0; done < 5; time.Sleep(10 * time.Millisecond) {
	if done, _, err = job.Progress(ctx); err != nil {
		panic(err)
	}
}`, "")
	if got, err := k.execute(cellRun{code: "%restart"}); err != nil || got.status != "ok" {
		t.Fatalf("%+v, %v", got, err)
	}
	if err := os.WriteFile(file("go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	run(start, "")
	run("fmt.Println(job.Results(ctx))", "[0 3 6 9 12 15 18 21 24 27] <nil>\n")
	run("c.Close()", "")
	log, err := os.ReadFile(file("log"))
	if err != nil {
		t.Fatal(err)
	}
	times := make(map[string]int)
	for line := range strings.Lines(string(log)) {
		times[strings.TrimSpace(line)]++
	}
	for n := range 10 {
		if ran := times[fmt.Sprint(n)]; ran < 1 || n < 5 && ran > 1 {
			t.Errorf("task %d ran %d times to its end", n, ran)
		}
	}
}
