"""The look of a report: one style sheet, light or dark as the reader's system says."""

STYLE = """
:root{color-scheme:light dark;--page:#f7f7f5;--card:#fff;
--ink:#1c1c1a;--soft:#62625c;--rule:#e2e2dc;
--engine:#1f6fd1;--peer1:#d9730d;--peer2:#1c8f6c;--peer3:#9350c4;--peer4:#c43a54;--other:#c3c3bb;
--good:#14734f;--good-page:#e3f4ec;--bad:#b42318;--bad-page:#fdebe9;--heat:31,111,209}
@media (prefers-color-scheme:dark){:root{--page:#141413;--card:#1e1e1c;--ink:#eeeeea;--soft:#a5a59c;
--rule:#363632;--engine:#6aa9f7;--peer1:#f0984a;--peer2:#4cc39b;--peer3:#bd8ce6;--peer4:#ef7d90;
--other:#56564f;--good:#6fd3a8;--good-page:#17342a;--bad:#f59a90;--bad-page:#3d1e1b;
--heat:106,169,247}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
main{max-width:1280px;margin:0 auto;padding:20px 16px 48px}
h1{font-size:1.35rem;margin:0 0 2px;overflow-wrap:anywhere}
h2{font-size:1rem;margin:0 0 2px}
p{margin:0 0 10px}
.soft,figcaption,.card>p{color:var(--soft);font-size:.86rem}
.verdict{margin:14px 0;padding:12px 16px;border-radius:10px;font-size:1.05rem;
background:var(--card);border:1px solid var(--rule)}
.verdict.won{background:var(--good-page);color:var(--good);border-color:transparent}
.verdict.lost{background:var(--bad-page);color:var(--bad);border-color:transparent}
.tiles{display:grid;
grid-template-columns:repeat(auto-fit,minmax(120px,1fr));gap:10px;margin:0 0 16px}
.tile{background:var(--card);border:1px solid var(--rule);border-radius:10px;padding:8px 12px}
.tile b{display:block;font-size:1.25rem;font-variant-numeric:tabular-nums}
.tile span{color:var(--soft);font-size:.8rem}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,370px),1fr));gap:14px}
.card{background:var(--card);border:1px solid var(--rule);border-radius:10px;padding:14px;margin:0;
min-width:0}
.wide{grid-column:1/-1}
svg{display:block;width:100%;height:auto;overflow:visible}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.88rem;font-variant-numeric:tabular-nums}
th,td{padding:5px 9px;text-align:right;border-bottom:1px solid var(--rule);white-space:nowrap}
th:first-child,td:first-child{text-align:left;position:sticky;left:0;background:var(--card)}
th{color:var(--soft);font-weight:600}
tr.own td{font-weight:650}
tr.best td,tr.best td:first-child{background:var(--good-page)}
.mark{color:var(--good);font-weight:650}
.legend{display:flex;flex-wrap:wrap;gap:2px 14px;margin:6px 0 0;padding:0;list-style:none;
font-size:.82rem;color:var(--soft)}
.legend i{display:inline-block;width:14px;height:4px;border-radius:2px;margin-right:5px;
vertical-align:middle;background:var(--c)}
.label{font-size:11px;fill:var(--soft)}
.inside{font-size:10px;fill:var(--ink)}
.inside.strong{fill:var(--card)}
.grid{stroke:var(--rule);stroke-width:1}
.line{fill:none;stroke:var(--c);stroke-width:1.6;stroke-linejoin:round}
.line.engine{stroke-width:2.6}
.line:hover{stroke-width:4}
.bar,circle.engine{fill:var(--c)}
.bar:hover,.cell:hover{opacity:.75}
.engine{--c:var(--engine)}.peer1{--c:var(--peer1)}.peer2{--c:var(--peer2)}
.peer3{--c:var(--peer3)}.peer4{--c:var(--peer4)}.other{--c:var(--other)}
.against{--c:var(--peer4)}
.diagonal{--c:var(--soft);stroke-dasharray:4 4}
.up,.down{--c:var(--good)}.down{--c:var(--bad)}
.up line,.down line{stroke:var(--c);stroke-dasharray:3 3}
.up circle,.down circle{fill:var(--c)}
.cell{fill:rgba(var(--heat),calc(.06 + .94*var(--share)))}
.empty{fill:none;stroke:var(--rule)}
dl{display:grid;grid-template-columns:minmax(0,auto) minmax(0,1fr);gap:2px 14px;margin:0;
font-size:.86rem}
dt{color:var(--soft);overflow-wrap:anywhere}dd{margin:0;overflow-wrap:anywhere}
ul.plain{margin:0;padding-left:18px;font-size:.9rem;overflow-wrap:anywhere}
summary{cursor:pointer;font-weight:650}
@media (max-width:480px){main{padding:14px 10px 32px}.card{padding:12px 10px}
.inside{font-size:10.5px}}
@media print{.card{break-inside:avoid}}
"""
