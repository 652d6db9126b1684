import sys,time
from collections import Counter
from tests.kernel.fuzz.compare import judge, Tally
from tests.kernel.fuzz.dice import Dice
from tests.kernel.fuzz.flows import flow
from tests.kernel.fuzz.worlds import make
t0=time.time()
tally=Tally(); kinds=Counter()
for n in range(int(sys.argv[1]), int(sys.argv[2])):
    dice=Dice(3,n,True); w=make(dice)
    found=judge(w,[flow(dice) for _ in range(60)],tally)
    print('world',n,round(time.time()-t0,1),tally.lookups,len(found),flush=True)
    for f in found:
        kinds[f.signature]+=1
        if kinds[f.signature]<=2: print('  ',f.flow,'|',f.signature,'|','; '.join(f'{d.field}: engine {d.wanted}, kernel {d.got}' for d in f.differences),flush=True)
    if found: print('\n'.join('     '+c for c in w.commands if 'sysctl' not in c),flush=True)
print(kinds)
