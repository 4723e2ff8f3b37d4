package reducedexports

import (
	"bytes"
	"fmt"
	"go/types"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

// A Copies holds copies of the export data of packages in a folder. Its methods may be called concurrently.
type Copies struct {
	dir string

	mu       sync.Mutex         // guards the fields below
	configs  map[string]*config // by the importcfg file of the originals
	packages map[string]*copied // by the archive file of the original
}

// A config is an importcfg file that names copies.
type config struct {
	file     string
	packages map[string]*copied // by import path
}

// A copied is a package with the place of its copy.
type copied struct {
	original, file string
	names          map[string]bool // the objects that the copy has; nil if there is no copy yet
}

// New returns Copies that are stored in dir, which must exist.
func New(dir string) *Copies {
	return &Copies{dir: dir, configs: map[string]*config{}, packages: map[string]*copied{}}
}

// Importcfg returns the name of an importcfg file that lists copies of the packages in originals, an importcfg file
// whose content must never change. The copies need not exist yet, since the compiler opens a copy only when it
// imports the package.
func (c *Copies) Importcfg(originals string) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	cfg, err := c.config(originals)
	if err != nil {
		return "", err
	}
	return cfg.file, nil
}

// config returns the copies for an importcfg file. The caller holds c.mu.
func (c *Copies) config(originals string) (*config, error) {
	if cfg := c.configs[originals]; cfg != nil {
		return cfg, nil
	}
	b, err := os.ReadFile(originals)
	if err != nil {
		return nil, err
	}
	cfg := &config{file: filepath.Join(c.dir, fmt.Sprintf("importcfg%d", len(c.configs))), packages: map[string]*copied{}}
	var text bytes.Buffer
	for line := range strings.Lines(string(b)) {
		path, file, ok := strings.Cut(strings.TrimSpace(strings.TrimPrefix(line, "packagefile ")), "=")
		if !ok || !strings.HasPrefix(line, "packagefile ") {
			text.WriteString(line)
			continue
		}
		p := c.packages[file]
		if p == nil {
			p = &copied{original: file, file: filepath.Join(c.dir, fmt.Sprintf("p%d", len(c.packages)))}
			c.packages[file] = p
		}
		cfg.packages[path] = p
		fmt.Fprintf(&text, "packagefile %s=%s\n", path, p.file)
	}
	if err := os.WriteFile(cfg.file, text.Bytes(), 0o600); err != nil {
		return nil, err
	}
	c.configs[originals] = cfg
	return cfg, nil
}

// Write makes the copies of the packages that a unit imports, unless they exist. The copies contain the objects that
// the unit names.
func (c *Copies) Write(originals string, imports []string, used Names) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	cfg, err := c.config(originals)
	if err != nil {
		return err
	}
	for _, path := range imports {
		p := cfg.packages[path]
		if p == nil {
			return fmt.Errorf("the importcfg file %s does not list package %s", originals, path)
		}
		if err := p.write(used[path]); err != nil {
			return err
		}
	}
	return nil
}

// write makes a copy that also has the objects with these names. It replaces the file atomically, since a compiler may
// still be reading the previous copy.
func (p *copied) write(names []string) error {
	all := map[string]bool{}
	for name := range p.names {
		all[name] = true
	}
	for _, name := range names {
		all[name] = true
	}
	if p.names != nil && len(all) == len(p.names) {
		return nil
	}
	member, data, err := readMember(p.original)
	if err != nil {
		return err
	}
	reduce(data, all)
	next := p.file + ".next"
	if err := os.WriteFile(next, member, 0o600); err != nil {
		return err
	}
	if err := os.Rename(next, p.file); err != nil {
		return err
	}
	p.names = all
	return nil
}

const (
	archiveMagic = "!<arch>\n"
	headerEnd    = len(archiveMagic) + 60 // end of the first member's header
	sizeStart    = len(archiveMagic) + 48 // start of the member's size in the header
	dataStart    = "\n$$B\nu"
	dataEnd      = "\n$$\n"
)

// readMember reads the first member of a package archive, which has the export data. member is an archive with that
// member; data is the part of it with the export data.
func readMember(file string) (member, data []byte, err error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	head := make([]byte, headerEnd)
	if _, err := f.ReadAt(head, 0); err != nil || string(head[:len(archiveMagic)]) != archiveMagic {
		return nil, nil, fmt.Errorf("the file %s is not the archive of a compiled package", file)
	}
	size, err := strconv.Atoi(strings.TrimSpace(string(head[sizeStart : sizeStart+10])))
	if err != nil || size < 0 || size > 1<<30 {
		return nil, nil, fmt.Errorf("the file %s is not the archive of a compiled package: its first member has no valid size", file)
	}
	member = make([]byte, headerEnd+size)
	if _, err := f.ReadAt(member, 0); err != nil {
		return nil, nil, fmt.Errorf("cannot read the first member of the archive %s: %w", file, err)
	}
	start, end := bytes.Index(member, []byte(dataStart)), bytes.LastIndex(member, []byte(dataEnd))
	if start < 0 || end < start+len(dataStart) {
		return nil, nil, fmt.Errorf("the archive %s has no export data", file)
	}
	return member, member[start+len(dataStart) : end], nil
}

// Names are the objects of packages that a unit names, by import path.
type Names map[string][]string

// NamesOf returns the objects of other packages that checked files name.
func NamesOf(info *types.Info, main *types.Package) Names {
	found := map[types.Object]bool{}
	names := Names{}
	for _, obj := range info.Uses {
		pkg := obj.Pkg()
		if pkg == nil || pkg == main || found[obj] || pkg.Scope().Lookup(obj.Name()) != obj {
			continue
		}
		found[obj] = true
		names[pkg.Path()] = append(names[pkg.Path()], obj.Name())
	}
	return names
}
