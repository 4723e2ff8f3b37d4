package image

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/perijove/perijove"
)

// TestCheckWorker runs the self-check on a good worker executable, and on programs that are not worker executables.
func TestCheckWorker(t *testing.T) {
	m := testImage(t)
	examine := func(t *testing.T, worker string) error {
		dir := t.TempDir()
		b := &builder{ctx: t.Context(), tc: m.Toolchain, dir: dir}
		for name, from := range map[string]string{"worker": worker, "symbols": m.Index(), "importcfg": m.ImportcfgFile()} {
			if err := os.Symlink(from, filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
		return b.checkWorker()
	}
	if err := examine(t, m.Worker()); err != nil {
		t.Errorf("the worker: %v", err)
	}
	for name, c := range map[string]struct{ program, want string }{
		"ends at once":           {"echo no such structure >&2; exit 3", "no such structure"},
		"says garbage":           {"printf 'garbagegarbagegarbage' >&3; sleep 100", "malformed control message"},
		"is no worker":           {"", "exec format error"},
		"ends after it is ready": {`printf '\010\000\000\000ready {}' >&3; exit 4`, "the worker process ended while it ran a check cell"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "worker")
			if c.program != "" {
				c.program = "#!/bin/sh\n" + c.program + "\n"
			}
			if err := os.WriteFile(file, []byte(c.program), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := examine(t, file); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want an error with %q", err, c.want)
			}
		})
	}
}

// TestUnfit builds an image whose self-check fails: the image stays unfit when it is opened again, and it has the
// packages that standalone programs need.
func TestUnfit(t *testing.T) {
	opt := Options{Source: perijove.Source, CacheDir: t.TempDir(), check: func(*builder) error { return errors.New("it printed 41") }}
	for range 2 {
		m, err := Open(t.Context(), opt)
		if err != nil {
			t.Fatal(err)
		}
		if want := "the worker image failed its self-check in the step \"check worker\": it printed 41; the command \"perijove install\" repeats the self-check"; m.Unfit != want {
			t.Errorf("%q, want %q", m.Unfit, want)
		}
		for _, path := range []string{"fmt", "github.com/perijove/perijove/kernel/internal/standalone", "gonum.org/v1/plot"} {
			if _, err := m.Archive(path); err != nil {
				t.Error(err)
			}
		}
		opt.check = func(*builder) error { t.Error("checked again"); return nil }
	}
	opt.Again, opt.check = true, nil
	if m, err := Open(t.Context(), opt); err != nil || m.Unfit != "" {
		t.Errorf("tried again: %v, %v", m, err)
	}
}
