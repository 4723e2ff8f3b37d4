package perijove

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/perijove/perijove/"

// arrows says what each package of the kernel may import, of this module and
// in code that is not a test. What is not named here may import nothing.
var arrows = map[string]string{
	// Leaves: pure, or next to the operating system.
	"kernel/internal/cell":      "",
	"kernel/internal/control":   "",
	"kernel/internal/gonb":      "",
	"kernel/internal/goobj":     "",
	"kernel/internal/memory":    "",
	"kernel/internal/output":    "",
	"kernel/internal/platform":  "",
	"kernel/internal/stopwatch": "",
	"kernel/internal/version":   "",

	// The engine.
	"kernel/internal/program":             "cell program/compiler program/exportdata program/instrument program/mangle program/typetext",
	"kernel/internal/program/compiler":    "memory",
	"kernel/internal/program/exportdata":  "",
	"kernel/internal/program/instrument":  "program/mangle",
	"kernel/internal/program/mangle":      "",
	"kernel/internal/program/programtest": "",
	"kernel/internal/program/typetext":    "program/mangle",
	"kernel/internal/link":                "goobj platform",
	"kernel/internal/image":               "control goobj link",
	"kernel/internal/modules":             "image",
	"kernel/internal/worker":              "control link stopwatch lib/comm lib/display lib/mp",
	"kernel/internal/solo":                "control stopwatch lib/display lib/mp",
	"kernel/internal/session":             "cell control gonb image memory modules output program program/compiler program/exportdata program/mangle version lib/comm lib/display",

	// The front.
	"kernel/internal/wire":       "output",
	"kernel/internal/transport":  "wire",
	"kernel/internal/server":     "internal/procfs output transport version wire",
	"kernel/internal/kernelspec": "",
	"kernel/internal/notebook":   "output",
	"kernel/internal/kerneltest": "output server transport wire",
}

type listedPackage struct {
	ImportPath string
	Imports    []string
}

func TestArrows(t *testing.T) {
	for _, p := range listPackages(t) {
		path := strings.TrimPrefix(p.ImportPath, module)
		allowed, known := arrows[path]
		for _, imported := range p.Imports {
			to, own := strings.CutPrefix(imported, module)
			switch {
			case !own:
			case strings.HasPrefix(path, "lib/") && (strings.HasPrefix(to, "lib/") || strings.HasPrefix(to, "internal/")):
			case strings.HasPrefix(path, "lib/"):
				t.Errorf("%s imports %s: the library knows nothing of the kernel", path, to)
			case strings.HasPrefix(path, "kernel/internal/"):
				if !known {
					t.Errorf("%s is not in the list of arrows", path)
				}
				if !slices.Contains(strings.Fields(allowed), strings.TrimPrefix(to, "kernel/internal/")) {
					t.Errorf("%s imports %s; allowed are: %s", path, to, allowed)
				}
			}
		}
	}
}

// TestLibraryAlone looks at all that the library needs, of others' modules too.
func TestLibraryAlone(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "./lib/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	deps := strings.Fields(string(out))
	if !slices.Contains(deps, module+"lib/mp") {
		t.Fatalf("lib/mp is missing: %q", deps)
	}
	for _, p := range deps {
		if strings.HasPrefix(p, module+"kernel/") {
			t.Errorf("the library needs %s", p)
		}
	}
}

// TestImageSources: the image is built from what is embedded, so that must be
// all that the worker needs of this module.
func TestImageSources(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "./kernel/internal/worker", "./lib/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for p := range strings.FieldsSeq(string(out)) {
		dir, own := strings.CutPrefix(p, module)
		if !own {
			continue
		}
		if entries, err := Source.ReadDir(dir); err != nil || len(entries) == 0 {
			t.Errorf("the worker needs %s, which is not embedded in Source", dir)
		}
	}
}

func listPackages(t *testing.T) []listedPackage {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	var list []listedPackage
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listedPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
	if len(list) < 15 {
		t.Fatalf("only %d packages", len(list))
	}
	return list
}
