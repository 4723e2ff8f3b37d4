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

// settings are the variables of the go command whose effective values change
// what it compiles. They may be set in the environment, in the user's file and in the
// toolchain's.
var settings = []string{"GOFLAGS", "GOEXPERIMENT", "GOAMD64", "GOARM64", "GOFIPS140"}

// environment lists the variables that decide, beside the contents of files,
// what the go command says of itself.
var environment = []string{"GOROOT", "GOTOOLCHAIN", "GOFLAGS", "GOEXPERIMENT", "GOAMD64", "GOARM64", "GOFIPS140", "GOENV", "HOME", "XDG_CONFIG_HOME"}

// otherFixed are more that must be as they were when the kernel started.
var otherFixed = []string{"GOOS", "GOARCH", "GO111MODULE", "GOWORK", "CC", "CXX", "FC", "AR"}

// Fixed reports whether an environment variable is part of what images are, so
// that the go command must see it as it was when the kernel started: packages
// that are compiled otherwise would not fit the image's.
func Fixed(name string) bool {
	return slices.Contains(environment, name) || slices.Contains(otherFixed, name) ||
		strings.HasPrefix(name, "CGO_") || strings.HasPrefix(name, "PKG_CONFIG")
}

// A remembered toolchain is what the go command said of itself, with the
// contents of the files in toolchains that it may have read for that.
type remembered struct {
	Toolchain Toolchain
	Files     map[string]string // hash by name
}

// findToolchain asks the go command about itself, once: the answer is kept
// until the command, the environment or a file with settings changes.
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
	for _, root := range []string{tc.Root, filepath.Dir(filepath.Dir(cmd))} { // the toolchain's, and that which chose it
		name := filepath.Join(root, "go.env")
		kept.Files[name] = hashFile(name)
	}
	b, err := json.Marshal(kept)
	if err == nil {
		err = writeFile(file, b)
	}
	if err != nil && opt.Log != nil {
		opt.Log("toolchain not remembered: " + err.Error())
	}
	return tc, nil
}

// recall reads what was remembered, if that still holds.
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

// userEnvFile is where go env -w writes, "" if that is switched off.
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

// hashFile names a file's content; that of one that cannot be read is "".
func hashFile(name string) string {
	b, err := os.ReadFile(name)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:12])
}
