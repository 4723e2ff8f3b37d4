package session

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/perijove/perijove/kernel/internal/output"
)

// TestSave checks which cells %save exports: the newest text of each cell that has run without an error.
func TestSave(t *testing.T) {
	s := newTestSession(t)
	var got []string
	var folder string
	s.cfg.Export = func(_ context.Context, cells []output.HistoryEntry, dir, target string) error {
		got = nil
		for _, c := range cells {
			got = append(got, c.Input)
		}
		folder = target
		if strings.HasSuffix(target, "refused") {
			return errors.New("it is not empty")
		}
		return nil
	}
	run := func(id, code string) *output.Error {
		return s.Execute(t.Context(), output.Request{Code: code, CellID: id, StoreHistory: true}, &transcript{}).Error
	}
	if err := run("s", "%save out"); err == nil || !strings.Contains(err.Value, "no cell has run") {
		t.Errorf("without cells the error is %v", err)
	}
	run("a", "x := 1")
	run("b", "x + 1")
	run("c", "undeclared + 1")
	run("a", "x := 2")
	if err := run("s", "%save out"); err != nil {
		t.Fatal(err)
	}
	if want := []string{"x := 2", "x + 1"}; !slices.Equal(got, want) || folder != filepath.Join(s.dir(), "out") {
		t.Errorf("got %q in %s, want %q", got, folder, want)
	}
	if err := run("s", "%save refused"); err == nil || !strings.Contains(err.Value, "not empty") {
		t.Errorf("the error is %v", err)
	}
	if err := run("d", "%save"); err == nil || !strings.Contains(err.Value, "write %save DIR") {
		t.Errorf("without a folder the error is %v", err)
	}
}
