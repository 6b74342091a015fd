"""The look of the report: one style for light and dark, wide and narrow; one small script.

The script only reads values out under the pointer; without it the page shows the same.
"""

STYLE = """
:root{color-scheme:light dark;--bg:#f5f6f9;--card:#fff;--ink:#18202d;--soft:#5a6576;--line:#e2e6ee;
--grid:#edf0f5;--net:#2456d3;--gross:#8d97a8;--pos:#7181e0;--buy:#1668b8;--sell:#c4570a;--mid:#485467;
--good:#0a7a4a;--bad:#b3261e;--warn:#fff2da;--warnline:#e8c47c;--track:#eef1f6}
@media(prefers-color-scheme:dark){:root{--bg:#0e1218;--card:#161c25;--ink:#e8ecf3;--soft:#9aa6b8;
--line:#29323f;--grid:#1f2732;--net:#7fa5ff;--gross:#77839a;--pos:#8b99f0;--buy:#62b2ff;--sell:#ffa55e;
--mid:#a9b4c6;--good:#45c88f;--bad:#ff8b7d;--warn:#33270f;--warnline:#6d5522;--track:#212a36}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",
Roboto,"Liberation Sans",sans-serif;-webkit-text-size-adjust:100%}
main{max-width:1120px;margin:0 auto;padding:28px 20px 48px}
header p{margin:0;color:var(--soft)}
.kicker{font-size:12px;letter-spacing:.08em;text-transform:uppercase}
h1{margin:2px 0 4px;font-size:26px;line-height:1.2;letter-spacing:-.01em;overflow-wrap:anywhere}
h2{margin:0 0 4px;font-size:17px}
h2+p{margin:0 0 14px;color:var(--soft);font-size:13.5px;max-width:78ch}
code{font:12.5px ui-monospace,Menlo,Consolas,"Liberation Mono",monospace;overflow-wrap:anywhere}
section{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:18px 20px;
margin-top:16px}
.two{display:grid;grid-template-columns:1fr 1fr;gap:16px}
.two section{min-width:0}
.notice{background:var(--warn);border:1px solid var(--warnline);border-radius:10px;padding:10px 14px;
margin:14px 0 0;font-weight:600}header .notice{color:var(--ink)}
dl.kpi{display:grid;grid-template-columns:repeat(4,1fr);gap:1px;margin:18px 0 0;overflow:hidden;
background:var(--card);border:1px solid var(--line);border-radius:12px}
dl.kpi>div{padding:12px 16px;box-shadow:0 0 0 1px var(--line);min-width:0}
dl.kpi dt{color:var(--soft);font-size:12.5px}
dl.kpi dd{margin:0;font-size:20px;font-weight:650;letter-spacing:-.01em;font-variant-numeric:tabular-nums}
dl.kpi dd.note{font-size:12px;font-weight:400;color:var(--soft);letter-spacing:0;line-height:1.35}
.good dd:not(.note),td.good{color:var(--good)}.bad dd:not(.note),td.bad{color:var(--bad)}
figure{margin:0 0 10px}
figcaption{display:flex;flex-wrap:wrap;gap:2px 14px;align-items:baseline;font-size:13px;margin:6px 0 3px}
figcaption small{color:var(--soft);font-weight:400}
.read{font-variant-numeric:tabular-nums;color:var(--soft)}
.keys{margin-left:auto;display:flex;flex-wrap:wrap;gap:2px 12px;color:var(--soft);font-size:12px}
.key i{display:inline-block;width:9px;height:9px;border-radius:50%;margin-right:5px;background:currentColor}
.plot{position:relative;margin-left:64px;border-left:1px solid var(--line);touch-action:pan-y}
.plot svg{display:block;width:100%;height:100%;overflow:hidden}
.plot path{fill:none;vector-effect:non-scaling-stroke}
path.grid{stroke:var(--grid);stroke-width:1}path.zero{stroke:var(--gross);stroke-width:1;opacity:.6}
path.line{stroke-width:1.5;stroke-linejoin:round}
path.dots{stroke-width:5.5;stroke-linecap:round;opacity:.8}path.many{stroke-width:3.4;opacity:.6}
path.net,.key.net{stroke:var(--net);color:var(--net)}path.gross,.key.gross{stroke:var(--gross);color:var(--gross)}
path.pos,.key.pos{stroke:var(--pos);color:var(--pos)}path.bid,.key.bid,path.ask,.key.ask{stroke:var(--mid);color:var(--mid)}path.mid,.key.mid{stroke:var(--mid);color:var(--mid)}.plot path.mid{stroke-width:1.1}.plot path.bid,.plot path.ask{stroke-width:1.2;opacity:.6}
path.buy,.key.buy{stroke:var(--buy);color:var(--buy)}path.sell,.key.sell{stroke:var(--sell);color:var(--sell)}
path.refused,.key.refused{stroke:var(--bad);color:var(--bad)}
.plot path.fill{stroke:none;fill:var(--pos);opacity:.22}.plot path.fill.refused{fill:var(--bad)}
.yl{position:absolute;right:100%;padding-right:8px;transform:translateY(-50%);font-size:11.5px;
color:var(--soft);white-space:nowrap;font-variant-numeric:tabular-nums}
.cross{position:absolute;top:0;bottom:0;width:0;border-left:1px dashed var(--soft);display:none}
.times{position:relative;height:18px;margin-left:64px;font-size:11.5px;color:var(--soft)}
.times span{position:absolute;transform:translateX(-50%);font-variant-numeric:tabular-nums}
.bar{display:grid;grid-template-columns:minmax(110px,30%) 1fr minmax(96px,auto);gap:10px;
align-items:center;padding:3px 0;font-size:13.5px}
.two .bar{grid-template-columns:minmax(140px,36%) 1fr minmax(92px,auto)}.bl{overflow-wrap:anywhere}.bv{text-align:right;font-variant-numeric:tabular-nums}
.track{position:relative;height:16px;background:var(--track);border-radius:4px}
.track i{position:absolute;top:0;bottom:0;border-radius:3px;background:var(--net);min-width:2px}
.track i.up{background:var(--good)}.track i.down{background:var(--bad)}
.track i.buy{background:var(--buy)}.track i.sell{background:var(--sell)}
.track u{position:absolute;top:-2px;bottom:-2px;width:0;border-left:1px solid var(--soft)}
.scroll{overflow-x:auto;margin-top:12px}
table{border-collapse:collapse;width:100%;font-size:13px;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:5px 14px 5px 0;border-bottom:1px solid var(--line);vertical-align:top}
th{color:var(--soft);font-weight:500;font-size:12px}
tr:last-child td{border-bottom:0}
td.long{min-width:26ch}.num{text-align:right;white-space:nowrap}td:last-child,th:last-child{padding-right:0}
dl.facts{display:grid;grid-template-columns:minmax(110px,190px) 1fr;gap:4px 18px;margin:0;font-size:13.5px}
dl.facts dt{color:var(--soft)}dl.facts dd{margin:0;overflow-wrap:anywhere}
details{margin-top:12px}summary{cursor:pointer;color:var(--soft);font-size:13px}
.small{font-size:12.5px;color:var(--soft);margin:10px 0 0}
@media(max-width:760px){main{padding:16px 10px 32px}section{padding:14px 12px}.two{grid-template-columns:1fr}
h1{font-size:21px}.plot,.times{margin-left:52px}.yl{font-size:10.5px;padding-right:5px}
dl.kpi{grid-template-columns:1fr 1fr}dl.kpi>div{padding:10px 12px}dl.kpi dd{font-size:17px}
.bar,.two .bar{grid-template-columns:1fr auto}.track{grid-column:1/3;grid-row:2}.keys{margin-left:0;width:100%}
.times span:nth-child(even){display:none}dl.facts{grid-template-columns:1fr}dl.facts dd{margin-bottom:6px}}
@media print{body{background:#fff}section{break-inside:avoid}}
""".strip()

SCRIPT = """
(()=>{const d=JSON.parse(document.getElementById('values').textContent),W=900,
P=[...document.querySelectorAll('.linked .panel')],at=(p,x)=>{const a=d.panels[p][0];let l=0,h=a.length-1,r=-1;
while(l<=h){const m=l+h>>1;if(a[m]<=x){r=m;l=m+1}else h=m-1}return r<0?null:d.panels[p][1][r]},
show=(e,plot)=>{const b=plot.getBoundingClientRect(),f=Math.min(1,Math.max(0,(e.clientX-b.left)/b.width)),
t=new Date(d.start+f*(d.end-d.start)).toISOString().slice(11,d.end-d.start<6e4?23:19);
P.forEach((p,k)=>{const v=at(k,Math.floor(f*W)),c=p.querySelector('.cross');c.style.display='block';
c.style.left=f*100+'%';p.querySelector('.read').textContent=t+'  '+(v===null?'–':v.toLocaleString('en',
{maximumFractionDigits:8}).replace('-','−'))})},
hide=()=>P.forEach(p=>{p.querySelector('.cross').style.display='none';p.querySelector('.read').textContent=''});
P.forEach(p=>{const plot=p.querySelector('.plot');plot.addEventListener('pointermove',e=>show(e,plot));
plot.addEventListener('pointerdown',e=>show(e,plot));plot.addEventListener('pointerleave',hide)})})()
""".strip()
