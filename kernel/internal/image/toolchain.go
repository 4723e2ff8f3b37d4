package image

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"go/version"
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
	Tools   string // folder of the tools, such as compile
	Version string // version of Go, such as go1.26.8
	// Switch is the value of GOTOOLCHAIN with which the go command uses this toolchain, or
	// "" if GOTOOLCHAIN need not be set.
	Switch string
	// Settings are the effective values of the go command's settings that change compiled
	// code.
	Settings string
}

// Compile returns the path of the compile tool.
func (t Toolchain) Compile() string { return filepath.Join(t.Tools, "compile") }

// release returns the toolchain's language version, such as go1.26.
func (t Toolchain) release() string {
	if v := version.Lang(t.Version); v != "" {
		return v
	}
	return t.Version // a development version
}

// Lang returns the language version of cells, as a value for the compiler's -lang flag. It is
// the version of the toolchain. If this program was built with an older toolchain, it is the version of that older
// toolchain, since this program's type checker does not know newer versions.
func (t Toolchain) Lang() string {
	if own := version.Lang(runtime.Version()); own != "" && version.Compare(own, t.release()) < 0 {
		return own
	}
	return t.release()
}

// supported lists the Go versions whose runtime structures the linker knows, oldest first.
var supported = []string{"go1.26", "go1.27"}

// FindGo returns the path of the go command: PERIJOVE_GO if it is set, otherwise the one
// on PATH, otherwise one in a usual folder.
func FindGo() (string, error) {
	if g := os.Getenv("PERIJOVE_GO"); g != "" {
		path, err := exec.LookPath(g)
		if err != nil {
			return "", fmt.Errorf("cannot find the go command %q, which PERIJOVE_GO names: set it to the path of the go command of Go 1.26 or newer", g)
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

// buildEnv returns the environment in which images and cells are compiled. Without cgo, an image needs no C compiler,
// and its worker process starts faster. Packages with C code need a separate image.
func (t Toolchain) buildEnv(cgo bool) []string {
	env := os.Environ()
	if t.Switch != "" {
		env = append(env, "GOTOOLCHAIN="+t.Switch)
	}
	enabled := "CGO_ENABLED=0"
	if cgo {
		enabled = "CGO_ENABLED=1"
	}
	return append(env, enabled, "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH, "GO111MODULE=on", "GOWORK=off")
}

// Environ returns the environment of the go command in a module's folder. Cgo is enabled if
// the image has C code or if cgo is true.
func (m *Image) Environ(dir string, cgo bool) []string {
	env := slices.DeleteFunc(m.Toolchain.buildEnv(m.Cgo || cgo), func(v string) bool { return v == "GOWORK=off" })
	return append(env, "PWD="+dir)
}

// fetched returns the name of the toolchain to use instead of one that the linker does not support: the toolchain that
// built this program, if the linker supports it, or else a fixed release.
func fetched() string {
	if own := (Toolchain{Version: runtime.Version()}); own.native() && version.IsValid(own.Version) {
		return own.Version
	}
	return "go1.26.8"
}

// ToolchainOf returns the toolchain with which a go command would compile cells. It runs the command.
func ToolchainOf(ctx context.Context, goCommand string) (Toolchain, error) {
	return chooseToolchain(ctx, Options{Go: goCommand})
}

// CachedToolchainOf does what ToolchainOf does, but runs the command only if the cache does not have the answer.
func CachedToolchainOf(ctx context.Context, goCommand string) (Toolchain, error) {
	cache, err := CacheDir()
	if err != nil {
		return ToolchainOf(ctx, goCommand)
	}
	return findToolchain(ctx, Options{Go: goCommand, CacheDir: cache})
}

// chooseToolchain returns the go command's toolchain. If the linker does not support it and
// the user's GOTOOLCHAIN allows another, it returns one that the linker supports.
func chooseToolchain(ctx context.Context, opt Options) (Toolchain, error) {
	tc, chosen, err := askToolchain(ctx, opt.Go, "")
	if err != nil || tc.native() {
		return tc, err
	}
	if chosen == "auto" || strings.HasSuffix(chosen, "+auto") {
		if other, _, err := askToolchain(ctx, opt.Go, fetched()); err == nil && other.native() {
			if opt.Log != nil {
				opt.Log(fmt.Sprintf("Perijove does not know the runtime of %[2]s, so cells are compiled with %[1]s, which your go command provides; GOTOOLCHAIN=local prevents that", other.Version, tc.Version))
			}
			return other, nil
		}
	}
	return tc, checkSupported(tc)
}

// checkSupported returns an error if a toolchain is too old for the library. It accepts
// newer toolchains that the linker does not support. With these, cells run as programs.
func checkSupported(tc Toolchain) error {
	if oldest := supported[0]; version.Compare(tc.release(), oldest) >= 0 {
		return nil
	}
	return fmt.Errorf("%s at %s is too old: Perijove needs %s or newer; install that from https://go.dev/dl, or set GOTOOLCHAIN=%s, which the go command then fetches, or set PERIJOVE_GO to the path of a newer go command",
		goText(tc.Version), tc.Root, goText(supported[0]), fetched())
}

// Verdict returns a remark for the user about a go command's version, such as go1.26.3, or ""
// if it is supported. If fatal is true, cells cannot run.
func Verdict(goVersion string) (remark string, fatal bool) {
	tc := Toolchain{Version: goVersion, Root: "the go command"}
	if tc.native() {
		return "", false
	}
	if checkSupported(tc) != nil {
		return fmt.Sprintf("Perijove needs %s: install that from https://go.dev/dl, or set PERIJOVE_GO to its go command", supportedText()), true
	}
	return fmt.Sprintf("Perijove knows the runtime of %s; with this Go, cells run as separate programs, and the variables of a cell end with it", supportedText()), false
}

// native reports whether the linker knows the runtime's structures in this toolchain.
func (t Toolchain) native() bool { return slices.Contains(supported, t.release()) }

func goText(v string) string { return "Go " + strings.TrimPrefix(v, "go") }

func supportedText() string {
	var list []string
	for _, v := range supported {
		list = append(list, goText(v))
	}
	return strings.Join(list, " and ")
}

func askToolchain(ctx context.Context, goCmd, choose string) (tc Toolchain, chosen string, err error) {
	tc = Toolchain{Go: goCmd, Switch: choose}
	names := append([]string{"GOROOT", "GOTOOLDIR", "GOVERSION", "GOTOOLCHAIN"}, settings...)
	cmd := exec.CommandContext(ctx, goCmd, append([]string{"env", "-json"}, names...)...)
	cmd.Env = tc.buildEnv(false)
	cmd.Dir = os.TempDir()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return tc, "", fmt.Errorf("the command %s env failed: %w\n%s", goCmd, err, errs.Bytes())
	}
	var v map[string]string
	if err := json.Unmarshal(out.Bytes(), &v); err != nil {
		return tc, "", fmt.Errorf("cannot read the output of the command %s env: %w", goCmd, err)
	}
	tc.Root, tc.Tools = v["GOROOT"], v["GOTOOLDIR"]
	for _, name := range settings {
		tc.Settings += fmt.Sprintf("%s=%q ", name, v[name])
	}
	for _, word := range strings.Fields(v["GOVERSION"]) { // such as "devel go1.27-abc" or "go1.26.1 X:name"
		if version.IsValid(word) {
			tc.Version = word
			return tc, v["GOTOOLCHAIN"], nil
		}
	}
	return tc, "", fmt.Errorf("the go command %s reports the version %q, which is not that of a release of Go", goCmd, v["GOVERSION"])
}

// imageKey returns the name of an image, a hash of everything on which it depends.
func imageKey(tc Toolchain, src fs.FS, c *CSet, race bool) (string, error) {
	return hashImage(tc, src, c, race, func(_ string, text []byte) []byte { return text })
}

// hashImage hashes everything on which an image depends, with the part of each source file that relevant returns.
func hashImage(tc Toolchain, src fs.FS, c *CSet, race bool, relevant func(name string, text []byte) []byte) (string, error) {
	h := sha256.New()
	st, err := os.Stat(tc.Compile())
	if err != nil {
		return "", fmt.Errorf("cannot find the compiler of the Go toolchain: %w", err)
	}
	fmt.Fprintf(h, "%q %q %q %q %d %d %q %d\n", tc.Root, tc.Tools, tc.Version, tc.Settings, st.Size(), st.ModTime().UnixNano(), bundled, layout)
	if c != nil {
		fmt.Fprintln(h, "C", c.Key())
	}
	if race {
		fmt.Fprintln(h, "race")
	}
	err = fs.WalkDir(src, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !goesIn(p) {
			return err
		}
		b, err := fs.ReadFile(src, p)
		b = relevant(p, b)
		fmt.Fprintln(h, p, len(b))
		h.Write(b)
		return err
	})
	return tc.Version + "-" + hex.EncodeToString(h.Sum(nil)[:8]), err
}

// goesIn reports whether the image depends on a source file.
func goesIn(p string) bool {
	return !strings.HasSuffix(p, "_test.go") && !strings.Contains("/"+p, "/testdata/")
}

// writeFile replaces a file atomically.
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
