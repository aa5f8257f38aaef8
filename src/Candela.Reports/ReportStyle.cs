namespace Candela.Reports;

/// <summary>The page's style sheet. Text colours keep a contrast of 4.5 and more against their background in both schemes; drawing colours 3 and more.</summary>
internal static class ReportStyle
{
    public const string Css = """

        :root{color-scheme:light dark;--bg:#faf8f5;--card:#fff;--ink:#211c17;--soft:#645a50;--rule:#e4ddd3;--faint:#b9afa3;--accent:#a14a05;--wash:#fdf1e3;--warn:#fff4d6;--bar:#c97a2b;--right:#2f855a;--wrong:#c2410c;
        --s0:#1d4ed8;--s1:#c2410c;--s2:#15803d;--s3:#7e22ce;--s4:#0e7490;--s5:#be185d;--s6:#854d0e;--s7:#475569}
        @media (prefers-color-scheme:dark){:root{--bg:#171310;--card:#221d19;--ink:#f3ede6;--soft:#b9ada0;--rule:#3a322b;--faint:#75695e;--accent:#f7b267;--wash:#33261a;--warn:#3a2f14;--bar:#c77a30;--right:#2f9a66;--wrong:#d0612a;
        --s0:#86aaff;--s1:#fb9a56;--s2:#5ed08f;--s3:#cf9bff;--s4:#4fd1e0;--s5:#f78cc0;--s6:#e6c15a;--s7:#b0bccb}}
        *{box-sizing:border-box}
        html{scroll-behavior:smooth;-webkit-text-size-adjust:100%}
        body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,"Noto Sans","Noto Sans CJK SC",sans-serif}
        .page{max-width:1120px;margin:0 auto;padding:28px 20px 40px}
        .skip{position:absolute;left:-999px}.skip:focus{left:8px;top:8px;background:var(--card);padding:8px;z-index:2}
        a{color:var(--accent)}
        :focus-visible{outline:2px solid var(--accent);outline-offset:2px}
        h1,h2,h3,p,dl,dd,figure,ul,pre{margin:0}
        h1{font-size:clamp(1.7rem,1.2rem + 2.2vw,2.6rem);line-height:1.15;letter-spacing:-.02em;font-weight:700}
        h2{font-size:1.3rem;line-height:1.3;letter-spacing:-.01em}
        .name{overflow-wrap:anywhere;unicode-bidi:isolate}
        .brand{display:flex;align-items:center;gap:8px;color:var(--soft);font-size:.9rem;margin-bottom:10px}
        .brand svg{height:22px;width:15px}.flame{fill:var(--bar)}.wax{fill:var(--faint)}
        .masthead .lead{color:var(--soft);margin-top:10px;max-width:75ch}
        .card,.part{background:var(--card);border:1px solid var(--rule);border-radius:12px}
        .hero{display:grid;grid-template-columns:minmax(230px,1fr) 2fr;gap:16px;margin:22px 0 16px}
        .score,.verdict,.board{padding:20px 22px}
        .score{background:var(--wash);border-color:transparent;display:flex;flex-direction:column;justify-content:center}
        .big{font-size:clamp(2.6rem,2rem + 2.5vw,3.6rem);font-weight:700;line-height:1.05;letter-spacing:-.03em;color:var(--accent);font-variant-numeric:tabular-nums}
        .under{margin-top:8px;font-size:.92rem}
        .verdict p{margin-top:8px;max-width:75ch}
        .why{color:var(--soft);font-size:.9rem}
        .tiles{display:grid;grid-template-columns:repeat(5,1fr);gap:12px;margin:16px 0}
        .tile{border-top:3px solid var(--rule);padding:8px 2px 0;min-width:0}
        .tile dt{color:var(--soft);font-size:.85rem}
        .tile b{display:block;font-size:1.3rem;font-variant-numeric:tabular-nums;line-height:1.3}
        .tile span{display:block;color:var(--soft);font-size:.8rem;line-height:1.35;overflow-wrap:anywhere}
        nav{margin:20px 0}
        nav ul{list-style:none;padding:0;display:flex;flex-wrap:wrap;gap:6px 8px}
        nav a{display:inline-block;padding:4px 12px;border:1px solid var(--rule);border-radius:99px;background:var(--card);text-decoration:none;font-size:.88rem;color:var(--ink)}
        nav a:hover{border-color:var(--accent);color:var(--accent)}
        .part{padding:20px 22px 22px;margin-top:16px;scroll-margin-top:12px}
        .part>h2{margin-bottom:12px}
        .note{color:var(--soft);font-size:.9rem;margin-top:12px;max-width:80ch}.note:empty{display:none}
        .scroll{overflow-x:auto;max-width:100%}
        table{border-collapse:collapse;width:100%;font-size:.92rem}
        caption{text-align:left;color:var(--soft);font-size:.88rem;padding-bottom:8px}
        th,td{padding:7px 10px;text-align:left;vertical-align:top;border-top:1px solid var(--rule);line-height:1.35}
        th:first-child,td:first-child{padding-left:0}th:last-child,td:last-child{padding-right:0}
        thead th{border-top:0;border-bottom:2px solid var(--rule);vertical-align:bottom;font-weight:600;color:var(--soft);font-size:.85rem}
        tbody th{font-weight:500}
        small{display:block;color:var(--soft);font-size:.8rem;font-weight:400;line-height:1.3}
        .num{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
        td .num,.top .num{white-space:nowrap}
        .text{min-width:9em}.figures{font-variant-numeric:tabular-nums;word-spacing:.35em}
        tr.strong>*{background:var(--wash)}tr.strong>th:first-child{box-shadow:-6px 0 0 var(--wash);}tr.strong>:last-child{box-shadow:6px 0 0 var(--wash)}
        tr.strong th,td.strong{font-weight:650}
        .candidates th[scope=row]{white-space:nowrap}.candidates .text{min-width:14em}
        .badge{display:inline-block;font-size:.72rem;font-weight:600;line-height:1.5;padding:0 7px;border-radius:99px;background:var(--accent);color:var(--card);vertical-align:1px;letter-spacing:.01em}
        .badge.plain{background:transparent;color:var(--soft);box-shadow:inset 0 0 0 1px var(--faint)}
        .scoreboard th[scope=row]{width:1%;white-space:nowrap}
        .scoreboard td.wide{min-width:110px;vertical-align:middle}.scoreboard td.num{width:1%}
        .strip{display:block;overflow:visible}
        .whisker{stroke:var(--soft);stroke-width:2;stroke-linecap:round}.whisker.strong{stroke:var(--accent);stroke-width:3}.whisker.dark{stroke:var(--ink);stroke-width:1.5}
        .point{fill:var(--soft)}.point.strong{fill:var(--accent)}
        .reference{stroke:var(--faint);stroke-width:1.2;stroke-dasharray:4 3}
        .bar{fill:var(--bar)}
        .findings{list-style:none;padding:0;display:grid;gap:8px}
        .findings li{padding:10px 14px;border-radius:8px;background:var(--bg);border-left:4px solid var(--faint)}
        .findings .warning{background:var(--warn);border-left-color:var(--bar)}
        code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:.85em}
        .findings code{color:var(--soft);margin-right:6px}
        pre{background:var(--bg);border:1px solid var(--rule);border-radius:8px;padding:12px 14px;overflow-x:auto;line-height:1.45;font-size:.82rem}p+pre,pre+.scroll{margin-top:10px}
        .sample{max-width:80ch}.sample+.sample{margin-top:18px}.sample pre{white-space:pre-wrap;overflow-wrap:anywhere}.sample p{color:var(--soft);font-size:.9rem;margin:8px 0 4px}.sample pre+p+pre{margin-top:0}
        .charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,310px),1fr));gap:22px 26px}
        .two{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,400px),1fr));gap:24px 32px;align-items:start}.two>*{min-width:0}
        figcaption{font-weight:600;font-size:.95rem;margin-bottom:4px}
        .chart{min-width:0;max-width:520px}.chart svg{display:block;width:100%;height:auto}
        .chart text{font-size:11.5px;fill:var(--soft);font-variant-numeric:tabular-nums}.chart .label{fill:var(--ink);font-size:12px}
        .grid{stroke:var(--rule);stroke-width:1}.axis,.tick{stroke:var(--faint);stroke-width:1}
        .line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}.line.faint{stroke:var(--faint);stroke-width:1}
        .s0{stroke:var(--s0)}.s1{stroke:var(--s1);stroke-dasharray:7 4}.s2{stroke:var(--s2);stroke-dasharray:2 4}.s3{stroke:var(--s3);stroke-dasharray:10 3 2 3}.s4{stroke:var(--s4)}.s5{stroke:var(--s5);stroke-dasharray:4 3}.s6{stroke:var(--s6)}.s7{stroke:var(--s7)}
        .dot{stroke:none}.dot.s0{fill:var(--s0)}.dot.s1{fill:var(--s1)}.dot.s2{fill:var(--s2)}.dot.s3{fill:var(--s3)}
        .mark{fill:var(--s0);fill-opacity:.45}
        .legend{list-style:none;padding:0;margin-top:4px;display:flex;flex-wrap:wrap;gap:2px 16px;font-size:.85rem;color:var(--soft)}
        .legend .key{display:inline-block!important;width:22px!important;height:8px;margin-right:6px;vertical-align:middle}
        .legend .name{color:var(--ink)}
        .confusion th,.confusion td{padding:8px 10px}.confusion .corner{font-weight:400}
        .confusion .heat{border:2px solid var(--card);border-radius:8px;min-width:62px;text-align:center;color:var(--ink)}
        .heat.right{background:color-mix(in srgb,var(--right) var(--share),transparent)}.heat.wrong{background:color-mix(in srgb,var(--wrong) var(--share),transparent)}
        .heat small{color:inherit}
        .confusion thead th.num{text-align:center}
        .matrix{max-width:460px}.cell.right{fill:var(--right)}.cell.wrong{fill:var(--wrong)}.frame{fill:var(--bg)}
        .columns{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,240px),1fr));gap:12px;margin-top:14px}
        .column{border:1px solid var(--rule);border-radius:10px;padding:12px 14px;min-width:0;display:flex;flex-direction:column;gap:8px}
        .column.target{border-color:var(--accent);border-width:2px}.column.excluded{border-style:dashed}
        .column h3{font-size:.98rem;line-height:1.35;font-weight:650}
        .column dl{font-size:.84rem;display:grid;gap:1px;margin-top:auto}
        .column dl div{display:flex;justify-content:space-between;gap:10px}.column dt{color:var(--soft);white-space:nowrap}.column dd{text-align:right;font-variant-numeric:tabular-nums}
        .spark{width:100%;height:52px;display:block}
        .top{list-style:none;padding:0;display:grid;gap:3px;font-size:.84rem}
        .top li{display:grid;grid-template-columns:minmax(0,1.1fr) 1fr 3.6em;gap:8px;align-items:center}
        .top .name{overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
        .meter{background:var(--bg);border-radius:3px;height:9px;overflow:hidden;display:block}.meter i{display:block;height:100%;background:var(--bar)}
        details{margin-top:14px}summary{cursor:pointer;color:var(--accent)}
        footer{color:var(--soft);font-size:.85rem;margin-top:24px}
        @media (max-width:720px){
        .page{padding:18px 12px 32px}.hero{grid-template-columns:1fr;gap:12px}.score,.verdict,.board,.part{padding:16px 14px}
        .tiles{grid-template-columns:repeat(2,1fr)}th,td{padding:7px 6px}table{font-size:.88rem}small{font-size:.78rem}
        .scoreboard th[scope=row]{white-space:normal;width:40%;overflow-wrap:break-word}.scoreboard td.wide{min-width:84px}
        .text{min-width:0}.confusion th[scope=row]{position:sticky;left:0;background:var(--card);z-index:1}.confusion .corner{white-space:normal}.confusion .heat{min-width:46px}.confusion th,.confusion td{padding:6px 4px}
        nav ul{flex-wrap:nowrap;overflow-x:auto;padding-bottom:6px}nav a{white-space:nowrap}
        caption{position:sticky;left:0;max-width:calc(100vw - 56px)}
        .stack,.stack tbody{display:block}.stack caption{display:block}.stack thead{position:absolute;left:-9999px}
        .stack tr{display:grid;grid-template-columns:repeat(var(--n),1fr);gap:0 10px;border-top:1px solid var(--rule);padding:9px 0}
        .stack tr>*{border:0;padding:0}.stack th[scope=row],.stack .text{grid-column:1/-1}.stack .num{text-align:left;white-space:normal;margin-top:5px}
        .stack td[data-label]::before{content:attr(data-label);display:block;color:var(--soft);font-size:.75rem;font-weight:400}
        .stack td small{overflow-wrap:break-word}.stack .text{margin-top:5px;color:var(--soft)}.stack tr.strong{background:var(--wash);box-shadow:-14px 0 0 var(--wash),14px 0 0 var(--wash)}.stack tr.strong>*{background:none;box-shadow:none!important}}
        @media print{
        :root{--bg:#fff;--card:#fff;--ink:#000;--soft:#444;--rule:#ccc;--faint:#888;--accent:#7a3703;--wash:#f6efe6;--warn:#f6efe6;--bar:#c77a30;--right:#2f855a;--wrong:#c2410c;--s0:#1d4ed8;--s1:#c2410c;--s2:#15803d;--s3:#7e22ce;--s4:#0e7490;--s5:#be185d;--s6:#854d0e;--s7:#475569;color-scheme:light}
        *{print-color-adjust:exact;-webkit-print-color-adjust:exact}
        body{font-size:10.5pt}.page{max-width:none;padding:0}nav,.skip{display:none}.card,.part{border:0;border-radius:0;padding:8px 0}.score{padding:12px}
        h2,figcaption,caption,thead{break-after:avoid}tbody tr:first-child,tbody tr:last-child{break-before:avoid}#cost,#reproduce{break-inside:avoid}figure,.column,tr,.hero,.tile{break-inside:avoid}.scroll{overflow:visible}pre{white-space:pre-wrap;overflow-wrap:anywhere}
        .hero{grid-template-columns:1fr 2fr}.tiles{grid-template-columns:repeat(5,1fr)}.charts,.two{grid-template-columns:1fr 1fr}.columns{grid-template-columns:repeat(3,1fr)}
        details::details-content{content-visibility:visible;height:auto}a{color:inherit;text-decoration:none}}

        """;
}
