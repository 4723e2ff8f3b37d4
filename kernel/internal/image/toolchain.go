package image

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// A Toolchain is the Go installation that compiles a notebook.
type Toolchain struct {
	Go      string // the go command
	Root    string // GOROOT
	Tools   string // where compile is
	Version string // go1.26.8
}

// Compile is the path of the compiler proper.
func (t Toolchain) Compile() string { return filepath.Join(t.Tools, "compile") }

// Lang is the language version, as -lang takes it: go1.26.
func (t Toolchain) Lang() string {
	parts := strings.SplitN(t.Version, ".", 3)
	if len(parts) < 2 {
		return t.Version
	}
	minor := strings.TrimRightFunc(parts[1], func(r rune) bool { return r < '0' || r > '9' })
	if i := strings.IndexFunc(parts[1], func(r rune) bool { return r < '0' || r > '9' }); i >= 0 {
		minor = parts[1][:i]
	}
	return parts[0] + "." + minor
}

// supported lists the language versions whose runtime structures the linker knows.
var supported = []string{"go1.26"}

// FindGo returns the go command: PERIJOVE_GO if set, else the one on PATH,
// else one at a usual place.
func FindGo() (string, error) {
	if g := os.Getenv("PERIJOVE_GO"); g != "" {
		path, err := exec.LookPath(g)
		if err != nil {
			return "", fmt.Errorf("cannot find the go command %q, which PERIJOVE_GO names: set it to the path of one of Go 1.26", g)
		}
		return filepath.Abs(path)
	}
	if g, err := exec.LookPath("go"); err == nil {
		return filepath.Abs(g)
	}
	for _, g := range []string{"/usr/local/go/bin/go", "/usr/lib/go/bin/go", "/snap/bin/go"} {
		if _, err := os.Stat(g); err == nil {
			return g, nil
		}
	}
	return "", errors.New("cannot find the go command: install Go 1.26 from https://go.dev/dl and put it on your PATH, or set PERIJOVE_GO to its path")
}

// buildEnv is the environment in which images and cells are compiled. Without
// cgo an image needs no C compiler and starts faster; packages with C code get
// an image of their own.
func buildEnv(cgo bool) []string {
	enabled := "CGO_ENABLED=0"
	if cgo {
		enabled = "CGO_ENABLED=1"
	}
	return append(os.Environ(), enabled, "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH, "GO111MODULE=on", "GOWORK=off")
}

// Environ is the environment for the go command in a module's folder, with
// cgo as in the image unless it is asked for.
func (m *Image) Environ(dir string, cgo bool) []string {
	env := slices.DeleteFunc(buildEnv(m.Cgo || cgo), func(v string) bool { return v == "GOWORK=off" })
	return append(env, "PWD="+dir)
}

// relevantEnv lists the variables that change what the go command compiles.
var relevantEnv = []string{"GOROOT", "GOTOOLCHAIN", "GOFLAGS", "GOEXPERIMENT", "GOAMD64", "GOENV", "HOME"}

// findToolchain asks the go command about itself, once: the answer is kept
// until the command or the environment changes.
func findToolchain(ctx context.Context, opt Options) (Toolchain, error) {
	if opt.Go == "" {
		var err error
		if opt.Go, err = FindGo(); err != nil {
			return Toolchain{}, err
		}
	}
	cmd, err := filepath.EvalSymlinks(opt.Go)
	if err != nil {
		return Toolchain{}, fmt.Errorf("go command %s: %w", opt.Go, err)
	}
	st, err := os.Stat(cmd)
	if err != nil {
		return Toolchain{}, fmt.Errorf("go command: %w", err)
	}
	h := sha256.New()
	fmt.Fprintln(h, cmd, st.Size(), st.ModTime().UnixNano())
	for _, v := range relevantEnv {
		fmt.Fprintf(h, "%s=%q\n", v, os.Getenv(v))
	}
	file := filepath.Join(opt.CacheDir, "toolchains", hex.EncodeToString(h.Sum(nil)[:12])+".json")
	var tc Toolchain
	if b, err := os.ReadFile(file); err == nil && json.Unmarshal(b, &tc) == nil {
		if _, err := os.Stat(tc.Compile()); err == nil {
			return tc, checkSupported(tc)
		}
	}
	tc, err = askToolchain(ctx, opt.Go)
	if err != nil {
		return Toolchain{}, err
	}
	if err := checkSupported(tc); err != nil {
		return Toolchain{}, err
	}
	b, err := json.Marshal(tc)
	if err == nil {
		err = writeFile(file, b)
	}
	if err != nil && opt.Log != nil {
		opt.Log("toolchain not remembered: " + err.Error())
	}
	return tc, nil
}

func checkSupported(tc Toolchain) error {
	for _, v := range supported {
		if tc.Lang() == v {
			return nil
		}
	}
	return fmt.Errorf("the Go toolchain %s at %s cannot run cells natively: Perijove knows the runtime of %s; install one of these or set PERIJOVE_GO",
		strings.TrimPrefix(tc.Version, "go"), tc.Root, strings.Join(supported, ", "))
}

func askToolchain(ctx context.Context, goCmd string) (Toolchain, error) {
	cmd := exec.CommandContext(ctx, goCmd, "env", "-json", "GOROOT", "GOTOOLDIR", "GOVERSION")
	cmd.Env = buildEnv(false)
	cmd.Dir = os.TempDir()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return Toolchain{}, fmt.Errorf("%s env: %w\n%s", goCmd, err, errs.Bytes())
	}
	var v struct{ GOROOT, GOTOOLDIR, GOVERSION string }
	if err := json.Unmarshal(out.Bytes(), &v); err != nil {
		return Toolchain{}, fmt.Errorf("%s env: %w", goCmd, err)
	}
	return Toolchain{Go: goCmd, Root: v.GOROOT, Tools: v.GOTOOLDIR, Version: strings.Fields(v.GOVERSION)[0]}, nil
}

// imageKey names the image after everything it depends on.
func imageKey(tc Toolchain, src fs.FS, c *CSet) (string, error) {
	h := sha256.New()
	st, err := os.Stat(tc.Compile())
	if err != nil {
		return "", fmt.Errorf("compiler: %w", err)
	}
	fmt.Fprintln(h, tc, st.Size(), st.ModTime().UnixNano(), bundled)
	if c != nil {
		fmt.Fprintln(h, "C", c.Key())
	}
	for _, v := range relevantEnv[:5] {
		fmt.Fprintf(h, "%s=%q\n", v, os.Getenv(v))
	}
	err = fs.WalkDir(src, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !goesIn(p) {
			return err
		}
		b, err := fs.ReadFile(src, p)
		fmt.Fprintln(h, p, len(b))
		h.Write(b)
		return err
	})
	return tc.Version + "-" + hex.EncodeToString(h.Sum(nil)[:8]), err
}

// goesIn reports whether a source file matters to the image.
func goesIn(p string) bool {
	return !strings.HasSuffix(p, "_test.go") && !strings.Contains("/"+p, "/testdata/")
}

// writeFile writes a file so that readers see the old one or the whole new one.
func writeFile(file string, b []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(file), ".tmp-*")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err2 := f.Close(); err == nil {
		err = err2
	}
	if err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}
