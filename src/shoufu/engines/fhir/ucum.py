"""Units of measure by the grammar of UCUM (https://ucum.org/ucum, case sensitive): is a code a unit at all.

The symbols are those of the UCUM tables (The Unified Code for Units of Measure, Regenstrief Institute and the UCUM
Organization, under the UCUM licence). What a unit measures, and how many of another it is, is not judged here.
"""

from __future__ import annotations

import re

MOST = 200
_PREFIX_LIST = "Q R Y Z E P T G M k h da d c m u n p f a z y r q Ki Mi Gi Ti"
# Symbols that take a prefix.
_METRIC_LIST = """
    m s g rad K C cd mol sr Hz N Pa J W A V F Ohm S Wb Cel T H lm lx Bq Gy Sv l L ar t bar u eV pc
    [c] [h] [k] [eps_0] [mu_0] [e] [m_e] [m_p] [G] [g] [ly] gf Ky Gal dyn erg P Bi St Mx G Oe Gb sb Lmb ph Ci R RAD
    REM cal_[15] cal_[20] cal_m cal_IT cal_th cal tex m[H2O] m[Hg] eq osm g% kat U [iU] [IU] Np B B[SPL] B[V] B[mV]
    B[uV] B[10.nV] B[W] B[kW] st mho bit By Bd
"""
_PLAIN_LIST = """
    10* 10^ [pi] % [ppth] [ppm] [ppb] [pptr] gon deg ' '' min h d a_t a_j a_g a wk mo_s mo_j mo_g mo AU atm [lbf_av]
    [in_i] [ft_i] [yd_i] [mi_i] [fth_i] [nmi_i] [kn_i] [sin_i] [sft_i] [syd_i] [cin_i] [cft_i] [cyd_i] [bf_i] [cr_i]
    [mil_i] [cml_i] [hd_i] [ft_us] [yd_us] [in_us] [rd_us] [ch_us] [lk_us] [rch_us] [rlk_us] [fth_us] [fur_us] [mi_us]
    [acr_us] [srd_us] [smi_us] [sct] [twp] [mil_us] [in_br] [ft_br] [rd_br] [ch_br] [lk_br] [fth_br] [pc_br] [yd_br]
    [mi_br] [nmi_br] [kn_br] [acr_br] [gal_us] [bbl_us] [qt_us] [pt_us] [gil_us] [foz_us] [fdr_us] [min_us] [crd_us]
    [bu_us] [gal_wi] [pk_us] [dqt_us] [dpt_us] [tbs_us] [tsp_us] [cup_us] [foz_m] [cup_m] [tsp_m] [tbs_m] [gal_br]
    [pk_br] [bu_br] [qt_br] [pt_br] [gil_br] [foz_br] [fdr_br] [min_br] [gr] [lb_av] [oz_av] [dr_av] [scwt_av]
    [lcwt_av] [ston_av] [lton_av] [stone_av] [pwt_tr] [oz_tr] [lb_tr] [sc_ap] [dr_ap] [oz_ap] [lb_ap] [oz_m] [lne]
    [pnt] [pca] [pnt_pr] [pca_pr] [pied] [pouce] [ligne] [didot] [cicero] [degF] [degR] [degRe] [Cal] [Btu_39]
    [Btu_59] [Btu_60] [Btu_m] [Btu_IT] [Btu_th] [Btu] [HP] [den] [in_i'H2O] [in_i'Hg] [PRU] [wood'U] [diop] [p'diop]
    %[slope] [mesh_i] [Ch] [drp] [hnsf'U] [MET] [hp'_X] [hp'_C] [hp'_M] [hp'_Q] [hp_X] [hp_C] [hp_M] [hp_Q] [kp_X]
    [kp_C] [kp_M] [kp_Q] [pH] [S] [HPF] [LPF] [arb'U] [USP'U] [GPL'U] [MPL'U] [APL'U] [beth'U] [anti'Xa'U] [todd'U]
    [dye'U] [smgy'U] [bdsk'U] [ka'U] [knk'U] [mclg'U] [tb'U] [CCID_50] [TCID_50] [EID_50] [PFU] [FFU] [CFU] [IR]
    [BAU] [AU] [Amb'a'1'U] [PNU] [Lf] [D'ag'U] [FEU] [ELU] [EU] Ao b att [psi] circ sph [car_m] [car_Au] [smoot]
    [m/s2/Hz^(1/2)] bit_s
"""
_PREFIXES = _PREFIX_LIST.split()
_METRIC = frozenset(_METRIC_LIST.split())
_PLAIN = frozenset(_PLAIN_LIST.split())
# UCUM allows ASCII without spaces; HL7's own list of common units has spaces, and words are no part of the unit.
_ANNOTATION = re.compile(r"\{[^{}]*\}")
_EXPONENT = re.compile(r"[+-]?\d+")
_FACTOR = re.compile(r"\d++(?![*^])")
# A symbol is letters and signs, or what stands between square brackets, digits included.
_SYMBOL = re.compile(r"10[*^]|(?:\[[^\[\]]*\]|[^\d.()/{}\[\]+\s-])+")


def is_unit(code: str) -> bool:
    """Whether a code is a UCUM expression of symbols that UCUM has."""
    if not code or len(code) > MOST:
        return False
    end = _term(code, 1 if code[0] == "/" else 0)
    return end == len(code)


def _term(code: str, at: int) -> int | None:
    """The place after components with ``.`` and ``/`` between them; None where there is none."""
    found = _component(code, at)
    while found is not None and code[found : found + 1] in (".", "/"):
        found = _component(code, found + 1)
    return found


def _component(code: str, at: int) -> int | None:
    if code[at : at + 1] == "(":
        end = _term(code, at + 1)
        return _annotated(code, end + 1) if end is not None and code[end : end + 1] == ")" else None
    if annotation := _ANNOTATION.match(code, at):
        return annotation.end()
    if factor := _FACTOR.match(code, at):
        return _annotated(code, factor.end())
    symbol = _SYMBOL.match(code, at)
    if symbol is None or not _is_symbol(symbol[0]):
        return None
    exponent = _EXPONENT.match(code, symbol.end())
    return _annotated(code, exponent.end() if exponent else symbol.end())


def _annotated(code: str, at: int) -> int:
    found = _ANNOTATION.match(code, at)
    return found.end() if found else at


def _is_symbol(symbol: str) -> bool:
    if symbol in _METRIC or symbol in _PLAIN:
        return True
    return any(symbol.startswith(prefix) and symbol[len(prefix) :] in _METRIC for prefix in _PREFIXES)
