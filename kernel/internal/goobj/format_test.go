package goobj

import (
	"go/constant"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// toolchainPackage returns the types of an internal package of the toolchain.
func toolchainPackage(t *testing.T, path string) *types.Package {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-export", "-f", "{{.Export}}", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	imp := importer.ForCompiler(token.NewFileSet(), "gc", func(string) (io.ReadCloser, error) {
		return os.Open(strings.TrimSpace(string(out)))
	})
	pkg, err := imp.Import(path)
	if err != nil {
		t.Fatal(err)
	}
	return pkg
}

// TestNumbers compares the constants of the format with those of the toolchain.
func TestNumbers(t *testing.T) {
	for path, numbers := range map[string]map[string]int64{
		"cmd/internal/objabi": {
			"R_ADDR": int64(RelAddr), "R_ADDROFF": int64(RelAddrOff), "R_SIZE": int64(RelSize), "R_CALL": int64(RelCall),
			"R_CONST": int64(RelConst), "R_PCREL": int64(RelPCRel), "R_TLS_LE": int64(RelTLSLE), "R_GOTPCREL": int64(RelGotPCRel),
			"R_METHODOFF": int64(RelMethodOff), "R_KEEP": int64(RelKeep),
			"STEXT": int64(KindText), "STEXTFIPS": int64(KindTextFIPS), "SRODATA": int64(KindROData), "SRODATAFIPS": int64(KindRODataFIPS),
			"SNOPTRDATA": int64(KindNoPtrData), "SNOPTRDATAFIPS": int64(KindNoPtrDataFIPS), "SDATA": int64(KindData), "SDATAFIPS": int64(KindDataFIPS),
			"SBSS": int64(KindBSS), "SNOPTRBSS": int64(KindNoPtrBSS), "STLSBSS": int64(KindTLSBSS),
		},
		"cmd/internal/goobj": {
			"PkgIdxNone": PkgNone, "PkgIdxHashed64": PkgHashed64, "PkgIdxHashed": PkgHashed, "PkgIdxBuiltin": PkgBuiltin, "PkgIdxSelf": PkgSelf,
			"AuxGotype": AuxGotype, "AuxFuncInfo": AuxFuncInfo, "AuxFuncdata": AuxFuncdata, "AuxPcsp": AuxPcsp,
			"AuxPcfile": AuxPcfile, "AuxPcline": AuxPcline, "AuxPcinline": AuxPcinline, "AuxPcdata": AuxPcdata,
			"SymFlagDupok": flagDupok, "SymFlagLocal": flagLocal, "SymFlagTypelink": flagTypelink, "SymFlagGoType": flagGoType,
			"SymFlagItab": flag2Itab, "SymFlagDict": flag2Dict, "SymFlagPkgInit": flag2PkgInit,
			"BlkAutolib": blkAutolib, "BlkPkgIdx": blkPkgIdx, "BlkFile": blkFile, "BlkSymdef": blkSymDef, "BlkHashed64def": blkHashed64Def,
			"BlkHasheddef": blkHashedDef, "BlkNonpkgdef": blkNonPkgDef, "BlkNonpkgref": blkNonPkgRef, "BlkRefFlags": blkRefFlags,
			"BlkHash64": blkHash64, "BlkHash": blkHash, "BlkRelocIdx": blkRelocIdx, "BlkAuxIdx": blkAuxIdx, "BlkDataIdx": blkDataIdx,
			"BlkReloc": blkReloc, "BlkAux": blkAux, "BlkData": blkData, "BlkRefName": blkRefName, "BlkEnd": blkEnd,
			"NBlk": numBlocks, "SymABIstatic": ABIStatic,
		},
		"internal/abi": {"FuncIDWrapper": FuncIDWrapper},
	} {
		pkg := toolchainPackage(t, path)
		for name, ours := range numbers {
			c, ok := pkg.Scope().Lookup(name).(*types.Const)
			if !ok {
				t.Errorf("%s.%s is no constant", path, name)
				continue
			}
			if v, _ := constant.Int64Val(constant.ToInt(c.Val())); v != ours {
				t.Errorf("%s.%s is %d, not %d", path, name, v, ours)
			}
		}
	}
	order := toolchainPackage(t, "cmd/internal/objabi").Scope().Lookup("R_INITORDER").(*types.Const)
	if v, _ := constant.Int64Val(order.Val()); !RelocType(v).IsInitOrder() {
		t.Errorf("R_INITORDER is %d", v)
	}
	c := toolchainPackage(t, "cmd/internal/goobj").Scope().Lookup("Magic")
	if m, ok := c.(*types.Const); !ok || constant.StringVal(m.Val()) != magic {
		t.Errorf("the magic is %v, not %q", c, magic)
	}
}
