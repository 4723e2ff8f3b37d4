package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/perijove/perijove/kernel/internal/image"
)

var (
	sweepCount    = flag.Int("sweep.n", 12, "how many modules of testdata/modules.txt to sweep: one in six of them chosen, the others drawn; -1 for all")
	sweepMatch    = flag.String("sweep.match", "", "sweep the modules whose paths match this regular expression")
	sweepFrom     = flag.Int("sweep.from", 0, "how many of the selected modules to leave out at the beginning")
	sweepTo       = flag.Int("sweep.to", 1<<30, "which of the selected modules is the first to leave out at the end")
	sweepExamples = flag.Int("sweep.examples", 5, "how many examples of a module to run")
	sweepPackages = flag.Int("sweep.packages", 4, "how many packages of a module to import, evenly chosen; -1 for all")
	sweepReport   = flag.String("sweep.report", "", "append a line of JSON about each module to this file")
)

// A sweepResult is the result of the sweep of a module.
type sweepResult struct {
	Module   string
	Passed   bool
	Counts   bool     // the module has a package that go builds
	Packages int      // number of packages imported
	Symbols  int      // number of symbols referred to
	Examples int      // number of examples with the expected output
	Failures []string `json:",omitempty"`
	Excused  []string `json:",omitempty"` // failures that also occur in a program built by go
	Followed []string `json:",omitempty"` // suggestions of errors that were run
	Get      float64  // seconds from %get to the first result
	Seconds  float64
}

// sweepTimeout is the maximum time of a module. The go command may have to compile hundreds of
// packages, and C code.
const sweepTimeout = 25 * time.Minute

// TestSweep uses public modules in notebooks; see the README.
func TestSweep(t *testing.T) {
	img := openImage(t)
	if *sweepCount == 0 && *sweepMatch == "" {
		t.Skip("-sweep.n 0")
	}
	list, err := sweepSelection()
	if err != nil {
		t.Fatal(err)
	}
	passed, counted := 0, 0
	for _, m := range list {
		r := sweepOne(t, img, m)
		switch {
		case !r.Counts:
			t.Logf("%s@%s does not count: %s", m.path, m.version, strings.Join(r.Excused, "; "))
			continue
		case r.Passed:
			passed++
			t.Logf("%s@%s: %d packages, %d symbols, %d examples; first result after %.1f s", m.path, m.version, r.Packages, r.Symbols, r.Examples, r.Get)
		case missingModules[m.path] == "":
			t.Errorf("%s@%s:\n\t%s", m.path, m.version, strings.Join(r.Failures, "\n\t"))
		}
		counted++
	}
	t.Logf("%d of %d modules passed", passed, counted)
	if counted == 0 {
		t.Error("no module was swept")
	}
}

// missingModules lists the modules that do not pass, with the reason.
var missingModules = map[string]string{}

// sweepSkip is how many of the drawn modules a sample skips at the beginning: the second has C
// code, for which an image would have to be built.
const sweepSkip = 2

// sweepSelection lists the modules that the flags select.
func sweepSelection() ([]sweptModule, error) {
	drawn, chosen, err := sweptModules()
	if err != nil {
		return nil, err
	}
	list := append(drawn, chosen...)
	switch {
	case *sweepMatch != "":
		re, err := regexp.Compile(*sweepMatch)
		if err != nil {
			return nil, err
		}
		list = nil
		for _, m := range append(drawn, chosen...) {
			if re.MatchString(m.path) {
				list = append(list, m)
			}
		}
	case *sweepCount >= 0 && *sweepCount < len(list):
		some := min(*sweepCount/6, len(chosen))
		from := min(sweepSkip, len(drawn))
		list = append(drawn[from:min(from+*sweepCount-some, len(drawn))], chosen[:some]...)
	}
	to := min(*sweepTo, len(list))
	return list[min(*sweepFrom, to):to], nil
}

func sweepOne(t *testing.T, img *image.Image, m sweptModule) sweepResult {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), sweepTimeout)
	defer cancel()
	start := time.Now()
	s := &sweep{ctx: ctx, t: t, img: img, module: m, result: sweepResult{Module: m.path + "@" + m.version}}
	err := s.run()
	s.close()
	switch {
	case err != nil && errors.As(err, new(excuse)):
		s.result.Excused = append(s.result.Excused, err.Error())
	case err != nil:
		s.result.Counts = true
		s.result.Failures = append(s.result.Failures, err.Error())
	}
	s.result.Passed = s.result.Counts && len(s.result.Failures) == 0
	s.result.Seconds = time.Since(start).Seconds()
	if *sweepReport != "" {
		if err := s.report(*sweepReport); err != nil {
			t.Error(err)
		}
	}
	return s.result
}

func (s *sweep) report(file string) error {
	b, err := json.Marshal(s.result)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.Write(append(b, '\n'))
	return err
}

// An excuse is an error that does not count, since a program built by go fails too.
type excuse struct{ error }

func excused(format string, args ...any) error { return excuse{fmt.Errorf(format, args...)} }
