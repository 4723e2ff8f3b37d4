package cluster_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/cluster"
	"github.com/perijove/perijove/lib/mp"
	"github.com/perijove/perijove/lib/must"
)

// jobVariable is the environment variable with the folder for a process that starts a job.
const jobVariable = "CLUSTER_TEST_JOB"

const jobTasks = 300

// startJob starts the job "sweep" and prints a line. Then it waits until it is killed.
func startJob(url string) int {
	ctx := context.Background()
	c := must.Get(cluster.Open(ctx, cluster.URL(url), cluster.Token(os.Getenv("CLUSTER_TEST_TOKEN"))))
	must.Get(cluster.StartJob[int](ctx, c, "sweep", record, errands(os.Getenv(jobVariable), jobTasks)))
	fmt.Println("started")
	_, _ = os.Stdin.Read(make([]byte, 1))
	return 0
}

// startKilledJob lets another process start the job, and kills it.
func startKilledJob(t *testing.T, c *cluster.Cluster, folder string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleVariable+"="+c.URL(), "CLUSTER_TEST_TOKEN="+c.Token(), jobVariable+"="+folder)
	cmd.Stderr = os.Stderr
	in := must.Get(cmd.StdinPipe())
	defer in.Close()
	out := must.Get(cmd.StdoutPipe())
	must.Do(cmd.Start())
	if lines := bufio.NewScanner(out); !lines.Scan() || lines.Text() != "started" {
		t.Errorf("the process says %q", lines.Text())
	}
	must.Do(cmd.Process.Kill())
	_ = cmd.Wait()
}

// awaitProgress waits until n tasks of a job have ended.
func awaitProgress[R any](t *testing.T, j *cluster.Job[R], n int) {
	t.Helper()
	ctx := watchdog(t)
	for {
		done, _, err := j.Progress(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if done >= n {
			return
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
			t.Fatal(errHang)
		}
	}
}

// TestJobOfAKilledProgram kills the process that has started a job, and, when no process
// listens, a machine that runs its tasks.
func TestJobOfAKilledProgram(t *testing.T) {
	c, ctx, folder := open(t, 0), watchdog(t), t.TempDir()
	startKilledJob(t, c, folder)
	j := must.Get(cluster.JoinJob[int](ctx, c, "sweep"))
	first := startMachine(t, c)
	awaitProgress(t, j, 20)
	first.kill(t)
	startMachine(t, c)
	awaitProgress(t, j, jobTasks)
	for range 2 { // each process that joins gets every result
		j := must.Get(cluster.JoinJob[int](ctx, c, "sweep"))
		if ys, err := j.Results(ctx); err != nil || !slices.Equal(ys, upTo(jobTasks)) {
			t.Errorf("%d results, %v", len(ys), err)
		}
	}
	again := must.Get(cluster.StartJob[int](ctx, c, "sweep", record, errands(folder, jobTasks)))
	if done, total, err := again.Progress(ctx); done != jobTasks || total != jobTasks || err != nil {
		t.Errorf("the same job again: %d of %d, %v", done, total, err)
	}
	for y, err := range again.Stream(ctx) {
		if y != 0 || err != nil {
			t.Errorf("got %d, %v", y, err)
		}
		break
	}
	_, err := cluster.JoinJob[string](ctx, c, "sweep")
	refused(t, err, "the results of job sweep have the type int, not string")
	_, err = cluster.StartJob[int](ctx, c, "sweep", record, errands(folder, 7))
	refused(t, err, "there is a job sweep with other tasks (300 calls of ", "record", "Cluster.DeleteJob")
}

func TestDeletedJob(t *testing.T) {
	c, ctx := open(t, 0), watchdog(t)
	for _, name := range []string{"b", "a"} {
		must.Get(cluster.StartJob[int](ctx, c, name, square, upTo(3)))
	}
	if names := must.Get(c.Jobs(ctx)); !slices.Equal(names, []string{"a", "b"}) {
		t.Errorf("the jobs are %v", names)
	}
	j := must.Get(cluster.JoinJob[int](ctx, c, "a"))
	if s := j.String(); !strings.Contains(s, "job a: 3 calls of ") || !strings.Contains(s, "it ends with this process") {
		t.Errorf("String returns %q", s)
	}
	waiting := make(chan error)
	go func() {
		_, err := j.Results(ctx)
		waiting <- err
	}()
	must.Do(c.DeleteJob(ctx, "a"))
	if err := <-waiting; !errors.Is(err, mp.ErrClosed) {
		t.Errorf("results of a deleted job: %v", err)
	}
	_, err := cluster.JoinJob[int](ctx, c, "a")
	if refused(t, err, `has no job "a"`, "StartJob"); !errors.Is(err, cluster.ErrNoJob) {
		t.Errorf("got %v", err)
	}
	if err := c.DeleteJob(ctx, "a"); !errors.Is(err, cluster.ErrNoJob) {
		t.Errorf("got %v", err)
	}
	if names := must.Get(c.Jobs(ctx)); !slices.Equal(names, []string{"b"}) {
		t.Errorf("the jobs are %v", names)
	}
	must.Do(c.Workers(1))
	j = must.Get(cluster.StartJob[int](ctx, c, "a", square, upTo(4))) // the name is free
	if ys, err := j.Results(ctx); err != nil || !slices.Equal(ys, []int{0, 1, 4, 9}) {
		t.Errorf("%v, %v", ys, err)
	}
}

// eventful returns results and errors of all kinds.
func eventful(x int) (string, error) {
	switch x {
	case 1:
		return "", fmt.Errorf("no: %w", fs.ErrNotExist)
	case 2:
		panic("two")
	case 3:
		killMyself()
	case 4:
		return strings.Repeat("x", 600<<10), nil
	case 5:
		fmt.Println("output of a job")
		return strings.Repeat("x", 400<<10), nil
	}
	return fmt.Sprint(x), nil
}

func TestErrorsOfAJob(t *testing.T) {
	out := capture(t, &os.Stdout)
	c, ctx := open(t, 2, cluster.Tries(2)), watchdog(t)
	j := must.Get(cluster.StartJob[string](ctx, c, "x", eventful, upTo(7)))
	ys, errs := []string{}, []error{}
	for y, err := range j.Stream(ctx) {
		ys, errs = append(ys, y), append(errs, err)
	}
	if len(ys) != 7 {
		t.Fatalf("%d results", len(ys))
	}
	if ys[0] != "0" || ys[6] != "6" || len(ys[5]) != 400<<10 || errors.Join(errs[0], errs[5], errs[6]) != nil {
		t.Errorf("got %q, %q, %d bytes, %v", ys[0], ys[6], len(ys[5]), errs)
	}
	if pe, ok := errors.AsType[*mp.PanicError](errs[2]); !errors.Is(errs[1], fs.ErrNotExist) || !ok || pe.Value != "two" {
		t.Errorf("got %v, %v", errs[1], errs[2])
	}
	if _, ok := errors.AsType[*mp.ExitError](errs[3]); !ok || !errors.Is(errs[4], mp.ErrTooLarge) {
		t.Errorf("got %v, %v", errs[3], errs[4])
	}
	_, err := j.Results(ctx)
	refused(t, err, "task 1 of job x: no: ")
	if dead := must.Get(c.DeadLetters(ctx)); len(dead) != 1 || !strings.Contains(dead[0].Function, "eventful") {
		t.Errorf("the dead letters are %v", dead)
	}
	for ctx.Err() == nil && !strings.Contains(out(), "output of a job\n") {
		time.Sleep(time.Millisecond) // the rest is on its way
	}
	_, err = cluster.StartJob[string](ctx, c, "large", repeat, []string{strings.Repeat("x", 200<<10)})
	refused(t, err, "argument 0 of job large takes", "limit of 131072")
	_, err = cluster.StartJob[int](ctx, c, "a b", square, []int(nil))
	refused(t, err, `a job cannot have the name "a b"`)
	n := len(os.Args)
	_, err = cluster.StartJob[int](ctx, c, "y", func(x int) int { return x + n }, []int{1})
	refused(t, err, "captures variables")
	if ys, err := must.Get(cluster.StartJob[int](ctx, c, "empty", square, []int(nil))).Results(ctx); len(ys) != 0 || err != nil {
		t.Errorf("an empty job: %v, %v", ys, err)
	}
}

// TestJobInAFolder starts a job without workers and ends the server. The next server runs
// the job, and the one after that has the results.
func TestJobInAFolder(t *testing.T) {
	ctx, folder := watchdog(t), cluster.Folder(t.TempDir())
	c := open(t, 0, folder)
	j := must.Get(cluster.StartJob[int](ctx, c, "x", square, upTo(100)))
	if s := j.String(); strings.Contains(s, "ends with") {
		t.Errorf("String returns %q", s)
	}
	_, err := cluster.Open(ctx, folder)
	refused(t, err, "another NATS server uses the folder", "cluster.URL")
	must.Do(c.Close())
	for _, workers := range []int{1, 0} {
		c := open(t, workers, folder)
		ys, err := must.Get(cluster.JoinJob[int](ctx, c, "x")).Results(ctx)
		if err != nil || len(ys) != 100 || ys[99] != 99*99 {
			t.Errorf("%d workers: %d results, %v", workers, len(ys), err)
		}
		must.Do(c.Close())
	}
}
