package notebook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/perijove/perijove/kernel/internal/output"
)

func TestOutputsAreStoredAsJupyterDoes(t *testing.T) {
	text := output.Bundle{"text/plain": "2\n3"}
	tests := []struct {
		name string
		say  func(output.Sink)
		want string
	}{
		{"streams merge while they are the same", func(s output.Sink) {
			s.Stream(output.Stdout, "a\n")
			s.Stream(output.Stdout, "b\r")
			s.Stream(output.Stdout, "")
			s.Stream(output.Stderr, "e\b<")
			s.Stream(output.Stdout, "c")
		}, `[{"name":"stdout","output_type":"stream","text":["a\n","b\r"]},
			{"name":"stderr","output_type":"stream","text":["e\b<"]},
			{"name":"stdout","output_type":"stream","text":["c"]}]`},
		{"result", func(s output.Sink) { s.Result(text, nil) },
			`[{"data":{"text/plain":["2\n","3"]},"execution_count":1,"metadata":{},"output_type":"execute_result"}]`},
		{"display", func(s output.Sink) {
			s.Display(output.Display{
				Data:     output.Bundle{"image/png": "aGk=\n", "image/svg+xml": "<svg/>\n", "application/json": map[string]any{"a": 1}},
				Metadata: map[string]any{"image/png": map[string]any{"width": 2}},
			})
		}, `[{"data":{"application/json":{"a":1},"image/png":"aGk=\n","image/svg+xml":["<svg/>\n"]},
			"metadata":{"image/png":{"width":2}},"output_type":"display_data"}]`},
		{"error", func(s output.Sink) { s.Error(&output.Error{Name: "panic", Value: "oh"}) },
			`[{"ename":"panic","evalue":"oh","output_type":"error","traceback":[]}]`},
		{"update replaces every display of the id", func(s output.Sink) {
			s.Display(output.Display{Data: output.Bundle{"text/plain": "1"}, DisplayID: "a"})
			s.Display(output.Display{Data: output.Bundle{"text/plain": "2"}, DisplayID: "b"})
			s.Display(output.Display{Data: output.Bundle{"text/plain": "3"}, DisplayID: "a"})
			s.Display(output.Display{Data: output.Bundle{"text/plain": "x"}, DisplayID: "a", Update: true})
			s.Display(output.Display{Data: output.Bundle{"text/plain": "y"}, DisplayID: "nobody", Update: true})
		}, `[{"data":{"text/plain":["x"]},"metadata":{},"output_type":"display_data"},
			{"data":{"text/plain":["2"]},"metadata":{},"output_type":"display_data"},
			{"data":{"text/plain":["x"]},"metadata":{},"output_type":"display_data"}]`},
		{"clear at once", func(s output.Sink) { s.Stream(output.Stdout, "a"); s.Clear(false) }, `[]`},
		{"clear waits", func(s output.Sink) {
			s.Stream(output.Stdout, "a")
			s.Clear(true)
		}, `[{"name":"stdout","output_type":"stream","text":["a"]}]`},
		{"clear comes with the next output", func(s output.Sink) {
			s.Stream(output.Stdout, "a")
			s.Clear(true)
			s.Stream(output.Stdout, "b")
			s.Stream(output.Stdout, "c")
		}, `[{"name":"stdout","output_type":"stream","text":["bc"]}]`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			nb := parse(t, "x")
			session := &fakeSession{answers: map[string]func(context.Context, output.Sink) *output.Error{"x": answer(tt.say)}}
			if err := nb.Run(context.Background(), session, Options{}); err != nil {
				t.Fatal(err)
			}
			assertJSON(t, nb.Cells[0].Outputs, tt.want)
		})
	}
}

// assertJSON compares the exact text, since files must equal Jupyter's.
func assertJSON(t *testing.T, outputs []Output, want string) {
	t.Helper()
	if outputs == nil {
		outputs = []Output{}
	}
	got, err := encode(outputs)
	if err != nil {
		t.Fatal(err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, []byte(want)); err != nil {
		t.Fatal(err)
	}
	if string(got) != compact.String() {
		t.Errorf("got  %s\nwant %s", got, compact.String())
	}
}

func TestUpdateReachesEarlierCells(t *testing.T) {
	nb := parse(t, "show", "change")
	session := &fakeSession{answers: map[string]func(context.Context, output.Sink) *output.Error{
		"show": answer(func(s output.Sink) {
			s.Display(output.Display{Data: output.Bundle{"text/plain": "old"}, DisplayID: "a"})
		}),
		"change": answer(func(s output.Sink) {
			s.Display(output.Display{Data: output.Bundle{"text/plain": "new"}, DisplayID: "a", Update: true})
		}),
	}}
	if err := nb.Run(context.Background(), session, Options{}); err != nil {
		t.Fatal(err)
	}
	if got := nb.Cells[0].Outputs[0].Data["text/plain"]; got != "new" || len(nb.Cells[1].Outputs) != 0 {
		t.Errorf("first cell shows %v, second has %d outputs", got, len(nb.Cells[1].Outputs))
	}
}

func TestRunStopsAtTheFirstError(t *testing.T) {
	run := func(opts Options, cells ...string) (*Notebook, []string, error) {
		nb := parse(t, cells...)
		for _, c := range nb.Cells {
			c.Outputs = []Output{{Type: StreamOutput, Name: output.Stdout, Text: "stale"}}
			c.ExecutionCount = 77
		}
		session := &fakeSession{answers: map[string]func(context.Context, output.Sink) *output.Error{"bad": failing("panic")}}
		err := nb.Run(context.Background(), session, opts)
		return nb, session.executed, err
	}

	t.Run("stops", func(t *testing.T) {
		nb, executed, err := run(Options{}, "a", "bad", "c")
		var cellErr *CellError
		if !errors.As(err, &cellErr) || cellErr.Number != 2 || err.Error() != "cell 2 (bad): panic: no" {
			t.Errorf("error %v", err)
		}
		if !reflect.DeepEqual(executed, []string{"a", "bad"}) {
			t.Errorf("executed %q", executed)
		}
		if nb.Cells[1].Outputs[0].Type != ErrorOutput || nb.Cells[1].ExecutionCount != 2 {
			t.Errorf("failing cell is %+v", nb.Cells[1])
		}
		if len(nb.Cells[2].Outputs) != 0 || nb.Cells[2].ExecutionCount != 0 {
			t.Errorf("a cell that did not run keeps old outputs: %+v", nb.Cells[2])
		}
	})
	t.Run("allowed", func(t *testing.T) {
		_, executed, err := run(Options{AllowErrors: true}, "bad", "c")
		if err != nil || len(executed) != 2 {
			t.Errorf("executed %q, error %v", executed, err)
		}
	})
	t.Run("tags", func(t *testing.T) {
		nb, executed, err := run(Options{}, "#raises-exception\nbad", "#skip-execution\nbad", "", "c")
		if err != nil || !reflect.DeepEqual(executed, []string{"bad", "c"}) {
			t.Errorf("executed %q, error %v", executed, err)
		}
		if nb.Cells[1].ExecutionCount != 77 || nb.Cells[1].Outputs[0].Text != "stale" {
			t.Errorf("the skipped cell lost its outputs: %+v", nb.Cells[1])
		}
		if nb.Cells[2].ExecutionCount != 0 || len(nb.Cells[2].Outputs) != 0 {
			t.Errorf("the empty cell is %+v", nb.Cells[2])
		}
	})
}

// TestRunTellsWhatFollows: HasNext reports whether another code cell follows.
func TestRunTellsWhatFollows(t *testing.T) {
	session := &fakeSession{}
	nb := parse(t, "a", "b", "c", "", "#skip-execution\nd")
	if err := nb.Run(context.Background(), session, Options{}); err != nil {
		t.Fatal(err)
	}
	if want := []bool{true, true, false}; !slices.Equal(session.followed, want) {
		t.Errorf("cells were followed by others: %v, want %v", session.followed, want)
	}
}

func TestRunIsCanceled(t *testing.T) {
	wait := func(ctx context.Context, sink output.Sink) *output.Error {
		sink.Stream(output.Stdout, "begun")
		<-ctx.Done()
		return &output.Error{Name: "interrupted", Traceback: []string{}}
	}
	t.Run("by its context", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		nb := parse(t, "wait", "b")
		session := &fakeSession{answers: map[string]func(context.Context, output.Sink) *output.Error{
			"wait": func(ctx context.Context, sink output.Sink) *output.Error {
				cancel()
				return wait(ctx, sink)
			},
		}}
		err := nb.Run(ctx, session, Options{AllowErrors: true})
		if !errors.Is(err, context.Canceled) || len(session.executed) != 1 {
			t.Errorf("executed %q, error %v", session.executed, err)
		}
		if len(nb.Cells[0].Outputs) != 2 || nb.Cells[0].Outputs[0].Text != "begun" {
			t.Errorf("outputs %+v", nb.Cells[0].Outputs)
		}
	})
	t.Run("by a cell's timeout", func(t *testing.T) {
		nb := parse(t, "wait")
		session := &fakeSession{answers: map[string]func(context.Context, output.Sink) *output.Error{"wait": wait}}
		err := nb.Run(context.Background(), session, Options{CellTimeout: time.Millisecond})
		if err == nil || err.Error() != "cell 1 (wait): the cell ran longer than its timeout of 1ms" {
			t.Errorf("error %v", err)
		}
	})
}

func TestOutputAfterTheReplyIsKept(t *testing.T) {
	var late output.Sink
	nb := parse(t, "a", "b")
	session := &fakeSession{answers: map[string]func(context.Context, output.Sink) *output.Error{
		"a": answer(func(s output.Sink) { late = s }),
		"b": answer(func(output.Sink) { late.Stream(output.Stdout, "still here") }),
	}}
	if err := nb.Run(context.Background(), session, Options{}); err != nil {
		t.Fatal(err)
	}
	if len(nb.Cells[0].Outputs) != 1 || nb.Cells[0].Outputs[0].Text != "still here" {
		t.Errorf("outputs %+v", nb.Cells[0].Outputs)
	}
}

func TestProgress(t *testing.T) {
	var log bytes.Buffer
	nb := parse(t, "// why\nfmt.Println()", "bad "+strings.Repeat("x", 99))
	session := &fakeSession{answers: map[string]func(context.Context, output.Sink) *output.Error{nb.Cells[1].Source: failing("panic")}}
	if err := nb.Run(context.Background(), session, Options{AllowErrors: true, Progress: &log}); err != nil {
		t.Fatal(err)
	}
	want := `^\[1/2\] fmt\.Println\(\)  \S+\n\[2/2\] bad x{55}…  \S+  panic\n$`
	if !regexp.MustCompile(want).MatchString(log.String()) {
		t.Errorf("progress is %q", log.String())
	}
}

func (*fakeSession) Comm(output.Comm) error { return nil }
