package image

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// settings lists the variables of the go command whose effective values change compiled
// code. They may be set in the environment, in the user's go/env file, and in the
// toolchain's go.env.
var settings = []string{"GOFLAGS", "GOEXPERIMENT", "GOAMD64", "GOARM64", "GOFIPS140"}

// environment lists the environment variables on which the output of go env depends.
var environment = []string{"GOROOT", "GOTOOLCHAIN", "GOFLAGS", "GOEXPERIMENT", "GOAMD64", "GOARM64", "GOFIPS140", "GOENV", "HOME", "XDG_CONFIG_HOME"}

// otherFixed lists further variables for which Fixed returns true.
var otherFixed = []string{"GOOS", "GOARCH", "GO111MODULE", "GOWORK", "CC", "CXX", "FC", "AR"}

// Fixed reports whether images depend on an environment variable. The go command must see
// the variable's value from the start of the kernel: packages that are compiled with another
// value would not be compatible with those of the image.
func Fixed(name string) bool {
	return slices.Contains(environment, name) || slices.Contains(otherFixed, name) ||
		strings.HasPrefix(name, "CGO_") || strings.HasPrefix(name, "PKG_CONFIG")
}

// A remembered is a cached toolchain, with hashes of the go.env files from which the go
// command may have read settings.
type remembered struct {
	Toolchain Toolchain
	Files     map[string]string // hashes of files, by name
}

// findToolchain returns the toolchain of the go command. It caches the answer until the
// command, the environment or a file with settings changes.
func findToolchain(ctx context.Context, opt Options) (Toolchain, error) {
	if opt.Go == "" {
		var err error
		if opt.Go, err = FindGo(); err != nil {
			return Toolchain{}, err
		}
	}
	cmd, err := filepath.EvalSymlinks(opt.Go)
	if err != nil {
		return Toolchain{}, fmt.Errorf("cannot find the go command %s: %w", opt.Go, err)
	}
	st, err := os.Stat(cmd)
	if err != nil {
		return Toolchain{}, fmt.Errorf("cannot read the file of the go command: %w", err)
	}
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %d %d\n", opt.Go, cmd, st.Size(), st.ModTime().UnixNano())
	for _, v := range environment {
		fmt.Fprintf(h, "%s=%q\n", v, os.Getenv(v))
	}
	fmt.Fprintln(h, hashFile(userEnvFile()))
	file := filepath.Join(opt.CacheDir, "toolchains", hex.EncodeToString(h.Sum(nil)[:12])+".json")
	if tc, ok := recall(file); ok {
		return tc, checkSupported(tc)
	}
	tc, err := chooseToolchain(ctx, opt)
	if err != nil {
		return Toolchain{}, err
	}
	kept := remembered{Toolchain: tc, Files: map[string]string{}}
	for _, root := range []string{tc.Root, filepath.Dir(filepath.Dir(cmd))} { // the GOROOT of the selected toolchain, and that of the go command
		name := filepath.Join(root, "go.env")
		kept.Files[name] = hashFile(name)
	}
	b, err := json.Marshal(kept)
	if err == nil {
		err = writeFile(file, b)
	}
	if err != nil && opt.Log != nil {
		opt.Log("the settings of the Go toolchain cannot be cached: " + err.Error())
	}
	return tc, nil
}

// recall reads a cached toolchain. It returns false if there is none or if it is outdated.
func recall(file string) (Toolchain, bool) {
	var kept remembered
	b, err := os.ReadFile(file)
	if err != nil || json.Unmarshal(b, &kept) != nil || kept.Toolchain.Version == "" {
		return Toolchain{}, false
	}
	for name, hash := range kept.Files {
		if hashFile(name) != hash {
			return Toolchain{}, false
		}
	}
	_, err = os.Stat(kept.Toolchain.Compile())
	return kept.Toolchain, err == nil
}

// userEnvFile returns the path of the file that go env -w writes, or "" if GOENV is off.
func userEnvFile() string {
	switch file := os.Getenv("GOENV"); file {
	case "off":
		return ""
	case "":
		dir, err := os.UserConfigDir()
		if err != nil {
			return ""
		}
		return filepath.Join(dir, "go", "env")
	default:
		return file
	}
}

// hashFile returns a hash of a file's content, or "" if it cannot be read.
func hashFile(name string) string {
	b, err := os.ReadFile(name)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:12])
}
