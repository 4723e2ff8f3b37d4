package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/perijove/perijove/kernel/internal/kerneltest"
)

// childStart measures a child process of the library from its start until its function has
// run: in a new notebook and after 100 cells. After 100 cells it also measures, in turns, a
// child that uses a standby process, and the time until that has ended.
func childStart(ctx context.Context, k *kernel, w *tabwriter.Writer, _ string) error {
	if _, err := k.cell(ctx, "import \"github.com/perijove/perijove/lib/mp\"\nfunc nothing(int) {}\n"+
		"func child() error { p, err := mp.Start(context.Background(), mp.Processes, nothing, 0); if err != nil { return err }; return p.Join(context.Background()) }\n"+
		"func childGone() error { p, err := mp.Start(context.Background(), mp.Processes, nothing, 0); if err != nil { return err }; <-p.Done(); return p.Join(context.Background()) }"); err != nil {
		return err
	}
	var s sample
	for range *rounds {
		d, err := k.childAfresh(ctx)
		if err != nil {
			return err
		}
		s = append(s, d)
	}
	row(w, "child process, start to outcome", s, "")
	for i := range 100 {
		if _, err := k.cell(ctx, fmt.Sprintf("func benchCell%d(n int) int { return n + %[1]d }\nfmt.Println(benchCell%[1]d(1))", i)); err != nil {
			return err
		}
	}
	afresh, ahead, err := inTurns(*rounds,
		func() (time.Duration, error) { return k.childAfresh(ctx) },
		func() (time.Duration, error) { return k.childAhead(ctx) })
	if err != nil {
		return err
	}
	row(w, "child process, after 100 more cells", afresh, "")
	row(w, "  with a standby", ahead, fmt.Sprintf("%.2f × the row above", ahead.median().Seconds()/afresh.median().Seconds()))
	gone, ahead, err := inTurns(*rounds,
		func() (time.Duration, error) { time.Sleep(aheadTime); return k.inside(ctx, "childGone()") },
		func() (time.Duration, error) { return k.childAhead(ctx) })
	if err != nil {
		return err
	}
	row(w, "  with a standby, until its process has ended", gone, fmt.Sprintf("%.2f × the time to the outcome, %.1f ms", gone.median().Seconds()/ahead.median().Seconds(), ahead.median().Seconds()*1e3))
	return warmPool(ctx, k, w)
}

// childAfresh measures the second child process that a cell starts: there is no standby
// for it.
func (k *kernel) childAfresh(ctx context.Context) (time.Duration, error) {
	return k.insideAfter(ctx, "child()", "child()")
}

// childAhead measures a child process that uses a standby process.
func (k *kernel) childAhead(ctx context.Context) (time.Duration, error) {
	time.Sleep(aheadTime)
	return k.inside(ctx, "child()")
}

// aheadTime is how long to wait until a standby process is ready. Users take longer before
// they run the next cell.
const aheadTime = 300 * time.Millisecond

// warmPool measures a task of a pool whose processes are running, and the memory of such a
// process while it is idle.
func warmPool(ctx context.Context, k *kernel, w *tabwriter.Writer) error {
	if _, err := k.cell(ctx, "import \"gonum.org/v1/plot\"\nvar _ = plot.New\n"+
		"func pid(int) int { return os.Getpid() }\n"+
		"pool, err := mp.NewPool(mp.Processes, mp.Workers(1))\n"+
		"func task() int { pids, err := mp.Map[int](context.Background(), pool, pid, []int{0}); if err != nil { panic(err) }; return pids[0] }\n"+
		"task()"); err != nil {
		return err
	}
	var s sample
	for range *rounds {
		d, err := k.inside(ctx, "task()")
		if err != nil {
			return err
		}
		s = append(s, d)
	}
	row(w, "a task for a warm pool of processes", s, "")
	_, messages, err := k.execute(ctx, "fmt.Print(task())")
	if err == nil {
		err = failed(messages)
	}
	if err != nil {
		return err
	}
	child, err := printed(messages)
	if err != nil {
		return err
	}
	kb, err := anonymous(child)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "anonymous memory of an idle child process\t%.1f MB\tthe rest is the worker's own image\n", float64(kb)/1024)
	return nil
}

// anonymous returns a process's anonymous memory, in KB.
func anonymous(pid string) (kb int, err error) {
	b, err := os.ReadFile("/proc/" + pid + "/smaps_rollup")
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(b), "Anonymous:")
	_, err = fmt.Sscan(rest, &kb)
	return kb, err
}

// endless are cells that only an interrupt ends.
var endless = []struct{ name, code string }{
	{"for {}", "for {}"},
	{"a loop of short calls into std", `for i := 0; ; i++ { _ = strconv.Itoa(i) }`},
	{"a loop of long calls into std", `for { _ = strings.Repeat("x", 1<<16) }`},
	{"a sleep", "time.Sleep(time.Hour)"},
	{"select {}", "select {}"},
	{"a channel", "<-make(chan int)"},
	{"a held mutex", "var held sync.Mutex; held.Lock(); held.Lock()"},
	{"a connection", `l, _ := net.Listen("tcp", "127.0.0.1:0"); l.Accept()`},
	{"a child process", `exec.Command("sleep", "3600").Run()`},
	{"ctx.Done()", "<-ctx.Done(); panic(\"interrupted\")"},
}

// interruptLatency measures from the interrupt request to idle.
func interruptLatency(ctx context.Context, _ *kernel, w *tabwriter.Writer, dir string) error {
	k, err := startKernel(ctx, dir)
	if err != nil {
		return err
	}
	defer k.stop()
	for _, c := range endless {
		var s sample
		for range *interrupts {
			d, err := k.interrupted(ctx, c.code)
			if err != nil {
				return fmt.Errorf("cannot measure the interrupt of %q: %w", c.name, err)
			}
			s = append(s, d)
		}
		row(w, "interrupt of "+c.name, s, fmt.Sprintf("worst of %d: %.1f ms", *interrupts, s.quantile(1).Seconds()*1000))
	}
	return nil
}

// interrupted runs a cell, interrupts it once it is busy or blocked, and returns the time
// from the interrupt to idle.
func (k *kernel) interrupted(ctx context.Context, code string) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	id, err := k.request("time.AfterFunc(20*time.Millisecond, func() { fmt.Println(\"begun\") })\n" + code)
	if err != nil {
		return 0, err
	}
	for begun := false; !begun; {
		m, err := k.client.RecvReply(ctx, kerneltest.IOPub, id)
		if err != nil {
			return 0, err
		}
		if m.Header.MsgType == "error" {
			return 0, fmt.Errorf("the cell failed: %s", m.Content)
		}
		begun = m.Header.MsgType == "stream" && strings.Contains(string(m.Content), "begun")
	}
	start := time.Now()
	asked, err := k.client.Send(kerneltest.Control, "interrupt_request", "{}")
	if err != nil {
		return 0, err
	}
	messages, err := k.client.RecvUntilIdle(ctx, id)
	if err != nil {
		return 0, err
	}
	d := time.Since(start)
	if err := failed(messages); err == nil || !strings.Contains(err.Error(), "interrupted") {
		return 0, fmt.Errorf("the interrupted cell did not end with the error of an interrupt: %v", err)
	}
	if _, err := k.client.RecvReply(ctx, kerneltest.Control, asked); err != nil {
		return 0, err
	}
	_, err = k.client.RecvReply(ctx, kerneltest.Shell, id)
	return d, err
}

// crashes measures the time until a cell has run after a cell that ended the worker process.
func crashes(ctx context.Context, _ *kernel, w *tabwriter.Writer, dir string) error {
	k, err := startKernel(ctx, dir)
	if err != nil {
		return err
	}
	defer k.stop()
	var end, next sample
	for range 10 {
		d, messages, err := k.execute(ctx, "var unlocked sync.Mutex; unlocked.Unlock()")
		if err != nil {
			return err
		}
		if failed(messages) == nil {
			return errors.New("the worker process survived a fatal error of a cell")
		}
		end = append(end, d)
		if d, err = k.cell(ctx, `fmt.Println("alive")`); err != nil {
			return err
		}
		next = append(next, d)
	}
	row(w, "a cell that ends the worker", end, "")
	row(w, "the next cell, in a new worker", next, "")
	return nil
}
