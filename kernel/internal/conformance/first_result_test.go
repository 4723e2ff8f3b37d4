package conformance

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/perijove/perijove/kernel/internal/image"
	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/session"
)

var firstMatch = flag.String("first.match", "strcase$", "measure the time from %get to the first result for the modules that this regular expression matches")

// firstResults are cells that use modules of testdata/modules.txt, with their output.
var firstResults = []struct{ module, imports, code, want string }{
	{"github.com/iancoleman/strcase", "github.com/iancoleman/strcase", `strcase.ToSnake("FirstResult")`, "first_result"},
	{"github.com/google/go-cmp", "github.com/google/go-cmp/cmp", `cmp.Equal([]int{1}, []int{1})`, "true"},
	{"gopkg.in/yaml.v3", "gopkg.in/yaml.v3", `yaml.Unmarshal([]byte("a: 1"), new(map[string]int))`, "<nil>"},
	{"github.com/tidwall/gjson", "github.com/tidwall/gjson", "gjson.Get(`{\"a\": [1, 2]}`, \"a.1\")", "2"},
	{"github.com/samber/lo", "github.com/samber/lo", `lo.Uniq([]int{1, 1, 2})`, "[1 2]"},
	{"github.com/gin-gonic/gin", "github.com/gin-gonic/gin", `gin.H{"a": 1}`, "map[a:1]"},
	{"gorm.io/gorm", "gorm.io/gorm", `gorm.ErrRecordNotFound`, "record not found"},
	{"github.com/go-git/go-git/v5", "github.com/go-git/go-git/v5", `git.ErrRepositoryNotExists`, "repository does not exist"},
	{"google.golang.org/grpc", "google.golang.org/grpc", `grpc.NewServer().GetServiceInfo()`, "map[]"},
	{"k8s.io/client-go", "k8s.io/client-go/kubernetes", `new(kubernetes.Clientset).RESTClient()`, "<nil>"},
}

// TestFirstResult measures the time from %get to the first result, twice for each module: with an empty module cache, and
// in a new notebook after that.
func TestFirstResult(t *testing.T) {
	img := openImage(t)
	drawn, chosen, err := sweptModules()
	if err != nil {
		t.Fatal(err)
	}
	versions := map[string]string{}
	for _, m := range append(drawn, chosen...) {
		versions[m.path] = m.version
	}
	re, err := regexp.Compile(*firstMatch)
	if err != nil {
		t.Fatal(err)
	}
	found := false
	t.Log("| module, seconds | get, cold | first cell, cold | get, warm | first cell, warm | load |")
	for _, r := range firstResults {
		if !re.MatchString(r.module) {
			continue
		}
		found = true
		t.Setenv("GOMODCACHE", t.TempDir()) // packages in another module cache are also compiled again
		cache := t.TempDir()
		row := "| " + r.module
		for range 2 {
			get, cell := firstResult(t, img, cache, r.module+"@"+versions[r.module], r.imports, r.code, r.want)
			row += fmt.Sprintf(" | %.1f | %.1f", get.Seconds(), cell.Seconds())
		}
		load, _ := os.ReadFile("/proc/loadavg")
		minute, _, _ := strings.Cut(string(load), " ")
		t.Logf("%s | %s |", row, minute)
		if out, err := exec.Command(img.Toolchain.Go, "clean", "-modcache").CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	}
	if !found {
		t.Errorf("no module matches %q", *firstMatch)
	}
}

// silence is the maximum time of a cell without a progress line. Progress lines appear after one second.
const silence = 5 * time.Second

// A progressRecorder is a recorder that also keeps progress lines.
type progressRecorder struct {
	recorder
	lines []string // guarded by mu
}

func (r *progressRecorder) Display(d output.Display) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, fmt.Sprint(d.Data["text/plain"]))
}

func (r *progressRecorder) list() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lines
}

// firstResult gets a module in a new notebook and runs a cell that uses it.
func firstResult(t *testing.T, img *image.Image, cache, module, imports, code, want string) (get, cell time.Duration) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module notebook\n\ngo 1.26\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	s, err := session.New(session.Config{Image: img, Dir: dir, CacheDir: cache})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	run := func(src string) (string, time.Duration) {
		var out progressRecorder
		start := time.Now()
		reply := s.Execute(t.Context(), output.Request{Code: src, StoreHistory: true}, &out)
		if lines := out.list(); time.Since(start) > silence && len(lines) == 0 {
			t.Errorf("%s: silent for %v", src, time.Since(start))
		} else if len(lines) > 0 {
			t.Logf("%s: %d progress lines, from %q to %q", src, len(lines), lines[0], lines[len(lines)-1])
		}
		if reply.Status != output.OK {
			t.Fatalf("%s: %s", src, strings.Join(reply.Error.Traceback, "\n"))
		}
		return out.text(), time.Since(start)
	}
	run("1 + 1") // wait until the worker process has started
	_, get = run("%get " + module)
	text, cell := run(fmt.Sprintf("import %q\nfmt.Println(%s)", imports, code))
	if !strings.HasSuffix(text, want+"\n") {
		t.Errorf("%s: printed %q instead of %q", module, text, want)
	}
	return get, cell
}
