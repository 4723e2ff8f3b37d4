package notebook

import (
	"context"
	"strings"
	"testing"

	"github.com/perijove/perijove/kernel/internal/output"
)

// A fakeSession answers cells by their source. Cells without an answer succeed without output.
type fakeSession struct {
	answers  map[string]func(ctx context.Context, sink output.Sink) *output.Error
	executed []string
	followed []bool // the result of each request's HasNext
}

func (f *fakeSession) Execute(ctx context.Context, req output.Request, sink output.Sink) output.Reply {
	f.executed = append(f.executed, req.Code)
	f.followed = append(f.followed, req.HasNext())
	count := len(f.executed)
	sink.Started(count)
	reply := output.Reply{Status: output.OK, ExecutionCount: count, UserExpressions: map[string]output.ExpressionResult{}}
	if answer := f.answers[req.Code]; answer != nil {
		if err := answer(ctx, sink); err != nil {
			sink.Error(err)
			reply.Status, reply.Error = output.Failed, err
		}
	}
	return reply
}

func (f *fakeSession) IsComplete(string) output.Completeness { return output.Completeness{} }
func (f *fakeSession) Complete(context.Context, string, int) (output.Completion, error) {
	return output.Completion{}, nil
}
func (f *fakeSession) Inspect(context.Context, string, int, int) (output.Inspection, error) {
	return output.Inspection{}, nil
}
func (f *fakeSession) History() []output.HistoryEntry { return nil }
func (f *fakeSession) Interrupt()                     {}
func (f *fakeSession) Close() error                   { return nil }

// answer returns the answer of a cell that calls f with its sink and succeeds.
func answer(f func(output.Sink)) func(context.Context, output.Sink) *output.Error {
	return func(_ context.Context, sink output.Sink) *output.Error {
		f(sink)
		return nil
	}
}

func failing(name string) func(context.Context, output.Sink) *output.Error {
	return func(context.Context, output.Sink) *output.Error {
		return &output.Error{Name: name, Value: "no", Traceback: []string{"line"}}
	}
}

// parse returns a notebook of code cells. A first line "#tag" gives a cell a tag.
func parse(t *testing.T, cells ...string) *Notebook {
	t.Helper()
	nb, err := Parse([]byte(`{"cells":[],"metadata":{},"nbformat":4,"nbformat_minor":5}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, source := range cells {
		var tags []string
		if rest, ok := strings.CutPrefix(source, "#"); ok {
			var tag string
			tag, source, _ = strings.Cut(rest, "\n")
			tags = []string{tag}
		}
		c, err := nb.newCode(source, tags...)
		if err != nil {
			t.Fatal(err)
		}
		nb.Cells = append(nb.Cells, c)
	}
	return nb
}
