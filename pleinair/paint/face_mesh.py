"""The wire net over a face's 468 points: which pairs of them are joined.

Our own: the Delaunay triangles of a face seen from the front and unrolled from a cylinder, without those across eyes
and mouth. `tools/shelf/a.py --mesh` makes it again.
"""

from __future__ import annotations

import base64
import functools
import zlib

import numpy as np

_PACKED = (
    "c-mE#2YePq8i!{TL`9@n5D-"
    "xj3q^`lA%GY<Lg+;a0VEOW3DOBg2}DRjlNwqe)Bqs_2*uEAD1jg%a^4Bvc@_lW1h1&~yf5Rh$@BZZ?6*5RJ8kFx7!&-"
    "n0q%3$AD}>hf}RHg6mmQm;33b$p2Er_0gAw*O3{22^AvZKa6IODJirr<Cp{%SPX#FDDeWl};Aux$&ocqa1$Z_e&pDnCP~P)`r-"
    "J9j051i2+3|{}qNh?mDtoFpUJXz+Ks8VG05$UQ8q^F>%TZgY<EiVZ7vObAeMbXF2sCswax@O`hNp?+O-"
    "HDssiT?F99lq2Xys@fppEjDr>&!%ql4+_=>(mXE{?9Io2R?d!|`^2ck<EG5e~hS2-92X<LC?TdipscO_X`hyzdwQ17WZ-"
    "L>cNC=85*ic!oPZP(~;tl~KxQ#~9C8$2b_T#5yJ@6CIOaviZ>Qk(uI%Q>Nx)niB8$*fCw1;Yd&tO_G@jv&<Z2uJVavo|z8|l!a!ISprMVGPB&Q"
    "FsmG?%4%2xYhfL%S2jSJ*=RO7HaoUJhS_Q|%{H?gc0d;FG`nE8vIjo(WWzpXKO9gFIu4n`a6~y8;FxmUobcqpNpng$ZO$m?;Jo?Fd|@t`FX6KJ"
    "i}}j@)%?wTZLXSc%-"
    "_vF%(v#B<~#VoT!WwBXLHN^%iK1<I{xkWPk{eA{^$A4^Lv0lJoh&L;NN|Y`#l8$6b$e{J_<P=4DgWW;Q)m_j|3><dDKzVQ_NF5A0+}j=6F2769"
    "Jy|lnn4xK1xC90A(CcD`h>;c*+HM*72O<c}ID8!BN5SVt|)CFFRgwRCH8wR933Mt56lHIjRS!p}dxlno2E4ZClsYQ(jl<D-"
    "9eWwxOqy(%A8ar%68Ebc8BRZ8N30qXo3|v~skzZR}gNog>V)w;h#EN@q_OPghSjPj^QT<!$91rKb|^=;erT^oBl4U&p&jKSv})+4mg%?fZ@a%D"
    "{XKQU*JQIEE_2JkbzihuaTegdL@fhB1z@cAOn=C&DB<*?wq0vQw355Dy>2beI7NHqj<IX2EPb$Ii8%*m*D?7QjNg2o^h%VTorcEQb}40;`l%yV"
    "|qHuC?ow^>%}@3DWHryUlL5J0Q#Mw7cwXyT^WN_u74Szdc|N+C%m*9JR;o2{>iX*j#(g7RGv7kie@<VOCxN46ZWCQ-aYCClywiXj>2m*`&Mcj~"
    "J$Sjl9vNY!%KQWXCII$FSG$XXoujn@izagUw0|vyPrE%egw_=zNaC>_9V!qxQCgEy6SFTJg*dBz#>~w)`&2afmIZ>EG4V*A-"
    "t}jX>Un5**2UA(n8Aqi|Z9VEQn7y-D+*%yo9-"
    "n|M)k(k%tYEUj7fErvOZBiX$NYr?J6y}X>ZbTT{pP)aS<y<Hqra!vOAx|(rcVVIJ0k^_=<k_NZU9sF?!xjxxk;r<z#a0f_~T$6_nOx6;^$?WN*"
    "Y6|HwgiKE|$&~I#dMA=Tr?AQvradFP2Ah;48HWrts4#w|a=sNNlWO+jm@PTe&0p<?&(y==+TbX&Nwbs8$#~79pP7?5lIt3d*a$Nl#&f^MZ=%&W"
    "V#&7Z_+2D^@}+)H!XOgOSz0BIGM2PGMH0p_)3wz8`fI-%@n8BK%E(4>egHYVpLAS8qGxMLhLF}LxbwWZh>@g`>Yw9%t9i-"
    "|{<mXxuG89GeA?3Doz&C}&+3ndMbd^G%KgC82Drp+$`vuMrfOq@)G*~p?vNGKoL(g}w#hnbGFoAbh>VmxN&Mpy&z-"
    "Fn(H1w1;CP3A#4Il9_*`eSJE?Vu8Fc2Ti&{um=OY<-W-oW#gQHC9>7^yaC1u>@-"
    "c;u*d+EbzdLB>Dzh_NG+X$Yvmrq|>bCYs8^za79*BNVZz*xpzj4+WApQJsTO?|S42J(i;Te4D}LkuzryIZX0af_Z$W+tw%zDDDMn{cBqn8VfTE"
    "SD)emeN;sF2A96sbQ3^_R+fjCpv@K!~BUY{X&c9FzZ)!Z6@gZlZZW?rB+$D-"
    "&68C{N@*3vsYLda_us`T&#0{i{F=7Ez_{ddDz}Q9O{A|r%~?~ts#xGpRpcf{iooR@~))oy1z+X$@)Gnr0i}=EzoQ8)Em?Jmh9PpCyuuAhA!oqc"
    "b)S#cNgZpkGE@R*A4Cc4eHx(R@n8lA)QYi_vP~3Z2EAB{``mu=2FuPE3Ns{IS(-VS<KW<KD(I1i?sF(EjdJ=vvrk=-"
    "^sU}y`W=pT;FsVzhBKtEBoF`dsd$yYbn>vV82eY$JwD$Z7yY{E$6vcTr*F7^CHNZi~PO-pL6eJT_M-JbKYU>?m4Hl;)d>VcXv5y#~t?GB%XcD{"
    "$UD{&v7Js3-"
    "<OLcK6d*Q58~div10nl>9nqe>WpIk}T+`Nf)QdP|(V~QRGBtO2ukYh+|6DNs2t9xwi|$l<bpKkpz@%IcM|m$4;bsl+EV;VPs$meO^oNH)91+TB"
    "1AIJ(P5vLKbx*+lSi;lx{_e$B<=`Vnr~fI;2lLK6&>jgxsu(3)LZI<8i1a{9lG+R^?1Xy;hB@4KbQ>7+ei3WhBYCmR#zi`6eS!3LD7cR~ekHGO"
    "g)Ni(6tSVjg|T%98k9YdmF#en;XGF?J*E5?6^Jm)DW30~p&fYJY9D=N0%bJ+H{vw&8pjiM@ifok;30)zmFdvajaObeoBrBwzqr@xEz1<s|=WF+"
    "Vx9cM+eOw0R*lRmQd2;$p37!y3vR<!NCq!7Fh^-"
    "hoPLWF6En<w)+36s<z9CNR1abkt<LYBMG>R`MjVlkGfrq#8#}+_0&Rlvv0}^^om4LOI+KLaxqZ?&_<nG*D*=arQDB&kS|PjX9c2O`%#MRBMzwr"
    "aG@#MjzJG^TG7|2v_HGW<G6+XGKos+ELmQ&l6jz2li#m#R_8>?MUs_Na{*qCZ%_A>MmlC!|}UVHJCH>IEop_W@UwAgGt!aHs)@cx=$8mBPhLB="
    "Wri2OAS4Bormkn@8?V?nR(-"
    "_rJbXg>%F=rqxHRs!M8S2r>xf_lsk+koz=CP&3ce)S@bPdXZ#Gmvsfd8u*$Jm;BrhXLyr@vcb3+Wz}YRV0$KM{uu1X6nY<w~A{#j;@8LMgE~b="
    "R8LKuqlW%z&C-"
    "I!S&UsFDJ4SE2uBFqI5%1fqb#0|B$@FI%ZINgF>74R5E?@>0@>#^ZWYU%ml*rJ&FV(dx9w^^(R(dM$??$aDjU#zNI#<^7UwktY<aZ{&Ghi#_vU"
    "FCDd*{rf*Y})L>OaYh-`$nu33>Ma5CO_@"
)
"""Two rows of little-endian uint16, one behind the other, by zlib and base85."""


@functools.cache
def edges() -> np.ndarray:
    """uint16 (1339, 2): places in the mesh."""
    flat = np.frombuffer(zlib.decompress(base64.b85decode(_PACKED)), "<u2")
    return np.ascontiguousarray(flat.reshape(2, -1).T)
