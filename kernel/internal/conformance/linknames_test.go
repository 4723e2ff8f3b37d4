package conformance

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/perijove/perijove/kernel/internal/goobj"
	"github.com/perijove/perijove/kernel/internal/image"
	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/session"
)

// TestLinknames refers by go:linkname to functions of the standard library that have a linkname.
// A cell refers to each, and so does a program that the toolchain links: both succeed, or
// both fail with the same error text.
func TestLinknames(t *testing.T) {
	img := openImage(t)
	names := linknamedFunctions(t, img)
	s, err := session.New(session.Config{Image: img, Dir: t.TempDir(), ProgressDelay: noProgress})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var allowed, refused []string
	for chunk := range slices.Chunk(names, 20) {
		if refusal(t, s, chunk) == "" {
			allowed = append(allowed, chunk...)
			continue
		}
		for _, name := range chunk {
			switch text := refusal(t, s, []string{name}); {
			case text == "":
				allowed = append(allowed, name)
			case strings.Contains(text, "main: invalid reference to "+name):
				refused = append(refused, name)
			default:
				t.Errorf("%s: %s", name, text)
			}
		}
	}
	t.Logf("%d functions may be pulled, %d may not", len(allowed), len(refused))
	if len(allowed) < 200 || len(refused) < 20 {
		t.Errorf("%d functions may be pulled, %d may not: there are more of either", len(allowed), len(refused))
	}
	if text := linkProgram(t, img, allowed); text != "" {
		t.Errorf("the linker refuses what cells may pull:\n%s", text)
	}
	for _, name := range refused[:min(len(refused), 5)] {
		if text := linkProgram(t, img, []string{name}); !strings.Contains(text, "main: invalid reference to "+name) {
			t.Errorf("a cell may not pull %s, and the linker says %q", name, text)
		}
	}
}

// linknamedFunctions lists functions of the standard library that have a linkname, and some
// that have none.
func linknamedFunctions(t *testing.T, img *image.Image) []string {
	names := map[string]bool{"runtime.newproc1": true, "reflect.methodReceiver": true, "os.runtime_args": true, "fmt.newPrinter": true, "sync.fatal": true}
	for path, file := range archives(t, img) {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		objs, err := goobj.ParseArchive(b)
		if err != nil {
			t.Fatal(err)
		}
		if path == "internal/fuzz" {
			continue // only fuzz tests have it
		}
		for _, o := range objs {
			for i := range o.NonPackage() {
				if s := o.Sym(i); o.Std() && !o.FromAssembly() && s.IsLinkname() && s.Kind().IsText() && s.ABI() == goobj.ABIInternal && !strings.HasPrefix(s.Name(), "main.") {
					names[strings.Clone(s.Name())] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// archives returns the compiled packages of an image by import path.
func archives(t *testing.T, img *image.Image) map[string]string {
	t.Helper()
	b, err := os.ReadFile(img.ImportcfgFile())
	if err != nil {
		t.Fatal(err)
	}
	list := map[string]string{}
	for line := range strings.Lines(string(b)) {
		if path, file, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "packagefile "), "="); ok {
			list[path] = file
		}
	}
	return list
}

// pullSource declares functions under these names and takes their addresses.
func pullSource(names []string) (decls, use string) {
	var d, u strings.Builder
	for i, name := range names {
		fmt.Fprintf(&d, "//go:linkname pulled%d %s\nfunc pulled%d()\n\n", i, name, i)
		fmt.Fprintf(&u, "if reflect.ValueOf(pulled%d).Pointer() == 0 { panic(%q) }\n", i, name)
	}
	return d.String(), u.String()
}

// refusal returns the error text of a cell that refers to these functions, or "".
func refusal(t *testing.T, s *session.Session, names []string) string {
	decls, use := pullSource(names)
	if err := execute(t, s, output.Request{Code: "import _ \"unsafe\"\n\n" + decls + use}, &recorder{}); err != nil {
		return err.Error()
	}
	return ""
}

// linkProgram links a program that refers to these functions and returns the linker's error
// text, or "".
func linkProgram(t *testing.T, img *image.Image, names []string) string {
	t.Helper()
	dir := t.TempDir()
	decls, use := pullSource(names)
	imports := "import (\n\t\"reflect\"\n\t_ \"unsafe\"\n"
	for path := range archives(t, img) { // import the packages that define the functions
		if isStandard(path) {
			imports += fmt.Sprintf("\t_ %q\n", path)
		}
	}
	for name, text := range map[string]string{"go.mod": "module pull\n\ngo 1.26\n", "empty.s": "", "main.go": "package main\n\n" + imports + ")\n\n" + decls + "func main() {\n" + use + "}\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), img.Toolchain.Go, "build", "-o", "prog", ".")
	cmd.Dir = dir
	cmd.Env = append(img.Environ(dir, false), "GOWORK=off")
	out, err := cmd.CombinedOutput()
	if err == nil {
		return ""
	}
	return string(out)
}

// isStandard reports whether a package of the image is a package of the standard library that
// programs may import.
func isStandard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	if strings.Contains("/"+path+"/", "/internal/") {
		return false
	}
	return !strings.Contains(first, ".") && first != "vendor" && first != "cmd" && path != "unsafe" && path != "runtime/cgo" &&
		path != "runtime/race" && path != "runtime/msan" && path != "runtime/asan" && path != "plugin"
}
