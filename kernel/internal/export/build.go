package export

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/perijove/perijove/kernel/internal/export/gomodule"
	"github.com/perijove/perijove/kernel/internal/notebook"
)

// A Platform is an operating system and a processor, as Go names them. An empty field means the value of this
// machine.
type Platform struct{ OS, Arch string }

func (p Platform) isForeign() bool {
	return p.OS != "" && p.OS != runtime.GOOS || p.Arch != "" && p.Arch != runtime.GOARCH
}

func (p Platform) env() []string {
	var env []string
	if p.OS != "" {
		env = append(env, "GOOS="+p.OS)
	}
	if p.Arch != "" {
		env = append(env, "GOARCH="+p.Arch)
	}
	return env
}

// Build compiles a notebook to a program for a platform, and writes the program to file. It ignores opt.Target.
func Build(ctx context.Context, nb *notebook.Notebook, opt Options, file string, platform Platform) error {
	file, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	if opt.Target, err = os.MkdirTemp("", "perijove-build-"); err != nil {
		return err
	}
	defer os.RemoveAll(opt.Target)
	if err := Program(ctx, nb, opt); err != nil {
		return err
	}
	m := gomodule.Open(ctx, opt.module(), opt.Target)
	if platform.isForeign() {
		if err := checkC(m, platform); err != nil {
			return err
		}
	}
	// Another platform may need modules that this one does not, which -mod=mod adds to go.mod.
	_, err = m.Run(platform.env(), "build", "-mod=mod", "-trimpath", "-o", file, ".")
	return err
}

// checkC refuses packages with C code: the go command does not compile them for another platform.
func checkC(m *gomodule.Module, platform Platform) error {
	with, err := m.WithC()
	if err != nil || len(with) == 0 {
		return err
	}
	return fmt.Errorf("cannot build for %s: the notebook uses C code, in %s, which needs that platform's C compiler: "+
		"export the program with perijove export --go DIR and build it there", strings.Join(platform.env(), " "), strings.Join(with, ", "))
}
