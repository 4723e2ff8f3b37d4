package modules

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// resolve compiles a package and all that it depends on, and learns where the
// compiled packages are. ask asks the go command.
func (m *Modules) resolve(ctx context.Context, path string, ask lister) error {
	list, ok := m.kept(path)
	if !ok {
		var err error
		if list, err = ask(ctx, false, "-export", "-deps", "--", path); err != nil {
			var refused *refusal
			if errors.As(err, &refused) && (!m.mentions(path) || m.lacksVendored(path)) {
				return m.notFound(path)
			}
			if members := m.members(); refused != nil && len(members) > 0 && !m.isProvided(ctx, path) {
				return fmt.Errorf("%w\nfrom this notebook:  %s", err, getLine(members, path))
			}
			return err
		}
		m.keepAnswer(path, list)
	}
	m.accept(path, list)
	return nil
}

// resolveTogether is resolve for all those of some packages for which the go
// command must be asked. It is asked once. Where it refuses nothing is learned:
// each package must be asked for alone, which tells whose fault it is.
func (m *Modules) resolveTogether(ctx context.Context, paths []string, ask lister) {
	var unknown []string
	for _, path := range paths {
		if _, _, known := m.known(path); known || slices.Contains(unknown, path) {
			continue
		}
		if _, ok := m.kept(path); !ok {
			unknown = append(unknown, path)
		}
	}
	if len(unknown) < 2 {
		return
	}
	list, err := ask(ctx, false, append([]string{"-export", "-deps", "--"}, unknown...)...)
	if err != nil {
		return
	}
	for _, path := range unknown {
		if part := closure(list, path); len(part) > 0 { // it may be a pattern or a folder, which is no import path
			m.keepAnswer(path, part)
			m.accept(path, part)
		}
	}
}

// closure returns those of a list of packages that one of them needs, except
// for the standard library's, in their order.
func closure(list []resolved, path string) []resolved {
	needed := map[string]bool{path: true}
	var out []resolved
	for _, p := range slices.Backward(list) { // a package stands behind those that it needs
		if !needed[p.ImportPath] || p.Standard {
			continue
		}
		for _, im := range p.Imports {
			needed[im] = true
		}
		out = append(out, p)
	}
	slices.Reverse(out)
	return out
}

// kept returns the answer about a path that was kept for this state of the module.
func (m *Modules) kept(path string) ([]resolved, bool) {
	key, err := m.key(path)
	if err != nil {
		return nil, false
	}
	b, err := os.ReadFile(m.answerFile(key))
	var list []resolved
	ok := err == nil && json.Unmarshal(b, &list) == nil && allExist(list)
	return list, ok
}

// keepAnswer keeps what the go command said about a path. Packages in folders
// may change while go.mod and go.sum stay as they are.
func (m *Modules) keepAnswer(path string, list []resolved) {
	key, keyErr := m.key(path)
	if b, err := json.Marshal(list); err == nil && keyErr == nil && !slices.ContainsFunc(list, inFolder) {
		m.keep(m.answerFile(key), b)
	}
}

func (m *Modules) answerFile(key string) string {
	return filepath.Join(m.cache, "packages", key+".json")
}

// accept makes known what was listed for a path.
func (m *Modules) accept(path string, list []resolved) {
	if len(m.roots) == 0 {
		m.state = m.moduleState()
	}
	m.roots[path] = true
	for _, p := range list {
		if !m.ofImage(p) {
			m.take(p)
		}
	}
}
