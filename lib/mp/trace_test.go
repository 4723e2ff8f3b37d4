package mp_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"runtime/trace"
	"strings"
	"testing"

	"github.com/perijove/perijove/lib/mp"
)

// TestTraceEnds checks that a recording ends however the function ends, and that another
// may follow in the same folder.
func TestTraceEnds(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "trace")
	failed := errors.New("failed")
	if err := mp.Trace(folder, func() error { return failed }); err != failed {
		t.Errorf("the error is %v", err)
	}
	func() {
		defer func() {
			if v := recover(); v != "panic" {
				t.Errorf("recovered %v", v)
			}
		}()
		_ = mp.Trace(folder, func() error { panic("panic") })
	}()
	done := make(chan bool)
	go func() {
		defer close(done)
		t.Error(mp.Trace(folder, func() error { runtime.Goexit(); return nil }))
	}()
	<-done
	if trace.IsEnabled() {
		t.Fatal("the process is still traced")
	}
	files, err := os.ReadDir(folder)
	if err != nil || len(files) != 2 {
		t.Errorf("the folder has %v, %v; want a trace and the manifest", files, err)
	}
}

// TestTraceRefuses checks the errors of Trace, which then does not call the function.
func TestTraceRefuses(t *testing.T) {
	never := func() error {
		t.Error("the function is called")
		return nil
	}
	outer := mp.Trace(t.TempDir(), func() error { return mp.Trace(t.TempDir(), never) })
	if outer == nil || !strings.Contains(outer.Error(), "already being traced") {
		t.Errorf("a recording within another: %v", outer)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := mp.Trace(file, never); err == nil {
		t.Error("a file is used as a folder")
	}
}
