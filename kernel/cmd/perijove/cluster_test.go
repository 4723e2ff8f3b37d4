package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/perijove/perijove/kernel/internal/notebook"
)

// startNATS starts a NATS server with a token, which stands for a server that does not
// belong to the notebook.
func startNATS(t *testing.T) (url string) {
	t.Helper()
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, Authorization: "secret", JetStream: true, StoreDir: t.TempDir(), NoLog: true, NoSigs: true})
	if err != nil {
		t.Fatal(err)
	}
	go s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(time.Minute) {
		t.Fatal("the NATS server does not start")
	}
	return s.ClientURL()
}

// writeNotebook writes a notebook with cells.
func writeNotebook(t *testing.T, file string, cells ...string) {
	t.Helper()
	type cell struct {
		ID       string         `json:"id"`
		Type     string         `json:"cell_type"`
		Source   string         `json:"source"`
		Metadata map[string]any `json:"metadata"`
		Outputs  []any          `json:"outputs"`
		Count    *int           `json:"execution_count"`
	}
	var list []cell
	for i, text := range cells {
		list = append(list, cell{ID: fmt.Sprint("c", i), Type: "code", Source: text, Metadata: map[string]any{}, Outputs: []any{}})
	}
	text, err := json.Marshal(map[string]any{"nbformat": 4, "nbformat_minor": 5, "metadata": map[string]any{}, "cells": list})
	if err == nil {
		err = os.WriteFile(file, text, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// The cells of the notebook. The worker program is built from the first two.
const (
	declarations = `import (
	"example.com/app/units"
	"github.com/perijove/perijove/lib/cluster"
	"github.com/perijove/perijove/lib/mp"
	"gonum.org/v1/plot/vg"
)
import st "strings"
type Order struct {
	N    int
	Text string
}
func (o Order) Total() float64 { return rate * float64(o.N) }
const (
	none = iota
	few
)
rate := 1.5 // per piece
func price(o Order) (float64, error) {
	if o.N < few {
		return 0, fmt.Errorf("too few: %d", o.N)
	}
	fmt.Println("price of", st.ToUpper(o.Text))
	return units.Scale(o.Total()) * float64(vg.Inch/vg.Inch), nil
}
func double(n int) int { return 2 * n }` + waiting

	tasks = `c, err := cluster.Open(ctx, cluster.URL(os.Getenv("TEST_NATS_URL")), cluster.Token("secret"), cluster.WorkerTimeout(5*time.Minute))
if err != nil {
	panic(err)
}
pool, err := c.Pool()
if err != nil {
	panic(err)
}
fmt.Println(mp.Map[float64](ctx, pool, price, []Order{{1, "tea"}, {2, "tea"}}))
fmt.Println(mp.Map[int](ctx, pool, double, []int{1, 2, 3}))
_, err = mp.Submit[float64](ctx, pool, price, Order{}).Result(ctx)
fmt.Println(err)`

	redeclared = `func double(n int) int { return 3 * n }
impatient, err := cluster.Open(ctx, cluster.URL(os.Getenv("TEST_NATS_URL")), cluster.Token("secret"), cluster.WorkerTimeout(10*time.Second))
if err != nil {
	panic(err)
}
for !strings.Contains(impatient.Table().String(), "by hash") {
	time.Sleep(50 * time.Millisecond)
}
pool2, err := impatient.Pool()
_, err = mp.Map[int](ctx, pool2, double, []int{1})
fmt.Println(errors.Is(err, cluster.ErrNoWorkers), strings.Contains(err.Error(), "the function double differs in that program"))
fmt.Println(mp.Map[float64](ctx, pool, price, []Order{{3, "milk"}}))`

	changedVariable = `rate := 2.5
_, err = mp.Map[float64](ctx, pool2, price, []Order{{1, "tea"}})
fmt.Println(strings.Contains(err.Error(), "the variable rate, which Order.Total uses, differs in that program"))
impatient.Close()
alone, err := cluster.Open(ctx, cluster.WorkerTimeout(time.Second))
pool3, err := alone.Pool(mp.TaskTimeout(time.Minute))
_, err = mp.Map[int](ctx, pool3, double, []int{1})
fmt.Println("alone:", strings.Contains(err.Error(), "start some with Workers, called in a cell, or with a program that perijove build --worker makes of this notebook"))
alone.Close()
c.Close()`
)

// TestWorkerProgram builds a worker program from a notebook, and runs the notebook's tasks in it. Then functions of the
// notebook change: their tasks are refused.
func TestWorkerProgram(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for name, text := range map[string]string{
		"go.mod":         "module example.com/app\n\ngo 1.26\n",
		"units/units.go": "package units\n\nfunc Scale(x float64) float64 { return x }\n",
	} {
		if err := os.MkdirAll(filepath.Dir(at(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at(name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	writeNotebook(t, at("built.ipynb"), declarations, tasks)
	writeNotebook(t, at("nb.ipynb"), declarations, tasks, redeclared, changedVariable)
	if err := runCommandLine(t, "build", at("built.ipynb"), "--worker", "-o", at("worker")); err != nil {
		t.Fatal(err)
	}
	url := startNATS(t)
	startWorkerProgram(t, at("worker"), url)
	t.Setenv("TEST_NATS_URL", url)
	if err := runCommandLine(t, "run", at("nb.ipynb"), "-o", at("out.ipynb")); err != nil {
		t.Error(err)
	}
	nb, err := notebook.Read(at("out.ipynb"))
	if err != nil {
		t.Fatal(err)
	}
	interruptWorkerProgram(t, dir, url)
	page := nb.Markdown()
	for _, want := range []string{"[1.5 3] <nil>\n", "[2 4 6] <nil>\n", "too few: 0\n", "price of TEA\n", "true true\n", "[4.5] <nil>\n", "\ntrue\n", "alone: true\n"} {
		if !strings.Contains(page, want) {
			t.Errorf("the outputs lack %q", want)
		}
	}
	if t.Failed() {
		t.Log(page)
	}
}

// startWorkerProgram starts a worker program, and stops it at the end of the test.
func startWorkerProgram(t *testing.T, program, url string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), program, "--nats", url, "--token", "wrong").CombinedOutput(); err == nil || !strings.Contains(string(out), "token or the credentials") {
		t.Errorf("with another token the worker program printed %s, error %v", out, err)
	}
	if out, err := exec.CommandContext(t.Context(), program).CombinedOutput(); err == nil || !strings.Contains(string(out), "--nats URL") {
		t.Errorf("without an address the worker program printed %s, error %v", out, err)
	}
	cmd := exec.Command(program, "--nats", url, "--token", "secret", "--workers", "2")
	errs, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(errs).ReadString('\n')
	if err != nil || !strings.Contains(line, "3 functions of built.ipynb") {
		t.Errorf("the worker program says %q, error %v", line, err)
	}
	t.Cleanup(func() {
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("the worker program ends with %v", err)
		}
	})
}
